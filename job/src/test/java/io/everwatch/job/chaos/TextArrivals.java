// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.TextReaderOptions.Reading;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * When text arrives at a reader of one reading, on a thread of its own. Survives a broker that goes
 * away. Clocks: those of this machine, wall clock in milliseconds.
 */
final class TextArrivals implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final long JOIN_MILLIS = 10_000;

  /**
   * One event of a chunk.
   *
   * @param partition of the frames topic, from which its chunk came
   * @param doneMillis when the engine had its text
   * @param readMillis when the reader had it
   * @param lagMillis from the arrival of the chunk's last frame at the broker to the reader
   */
  record Arrival(
      String streamId,
      int partition,
      long chunk,
      long doneMillis,
      long readMillis,
      long lagMillis) {}

  private final TextEventReader reader;
  private final Thread thread;
  private final List<Arrival> arrivals = new CopyOnWriteArrayList<>();
  private volatile boolean closed;
  private final AtomicInteger changed = new AtomicInteger();

  TextArrivals(String brokers, String topic, Reading reading) {
    reader =
        TextEventReader.open(
            TextReaderOptions.of(brokers, topic).reading(reading).start(new FromBeginning()));
    thread = new Thread(this::read, "arrivals-" + reading);
    thread.setDaemon(true);
    thread.start();
  }

  private void read() {
    while (!closed) {
      List<ReceivedText> texts = reader.poll(POLL);
      long now = System.currentTimeMillis();
      List<Arrival> news = new ArrayList<>();
      for (ReceivedText text : texts) {
        EventHeaders times = text.headers();
        if (text.changed()) {
          changed.incrementAndGet();
        } else if (times.arrivalMillis() != EventHeaders.ABSENT) {
          news.add(
              new Arrival(
                  text.event().getStreamId(),
                  text.event().getSources().get(0).getPartition(),
                  text.event().getChunk(),
                  times.doneMillis(),
                  now,
                  now - times.arrivalMillis()));
        }
      }
      arrivals.addAll(news);
    }
  }

  /** All so far, in the order of their reading. */
  List<Arrival> all() {
    return List.copyOf(arrivals);
  }

  /** Events whose bytes were not those that had been read of the same identity before. */
  int changed() {
    return changed.get();
  }

  /** Streams of which something was read whose text was made after a moment. */
  Set<String> streamsDoneAfter(long millis) {
    Set<String> streams = new HashSet<>();
    for (Arrival arrival : arrivals) {
      if (arrival.doneMillis() > millis) {
        streams.add(arrival.streamId());
      }
    }
    return streams;
  }

  /** When the first event of each stream was read whose text was made after a moment. */
  Map<String, Long> firstReadAfter(long millis) {
    Map<String, Long> first = new HashMap<>();
    for (Arrival arrival : arrivals) {
      if (arrival.doneMillis() > millis) {
        first.putIfAbsent(arrival.streamId(), arrival.readMillis());
      }
    }
    return first;
  }

  /** The last chunk read of each stream. */
  Map<String, Long> lastChunks() {
    Map<String, Long> last = new HashMap<>();
    arrivals.forEach(arrival -> last.merge(arrival.streamId(), arrival.chunk(), Math::max));
    return last;
  }

  /** Longest time without news of any stream, among those read in an interval. */
  long longestSilence(long fromMillis, long toMillis) {
    long before = fromMillis;
    long longest = 0;
    for (Arrival arrival : arrivals) {
      if (arrival.readMillis() > fromMillis && arrival.readMillis() <= toMillis) {
        longest = Math.max(longest, arrival.readMillis() - before);
        before = arrival.readMillis();
      }
    }
    return Math.max(longest, toMillis - before);
  }

  @Override
  public void close() {
    closed = true;
    reader.close();
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
