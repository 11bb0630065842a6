// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;

/**
 * How to read the text topic. Start from {@link #of} and change what differs:
 *
 * <pre>{@code
 * TextReaderOptions.of("broker:9092", "text").reading(Reading.COMMITTED).start(new FromBeginning())
 * }</pre>
 *
 * @param brokers {@code host:port}, comma-separated
 * @param streams stream IDs to report; empty = all
 * @param rememberedEvents events whose identity and digest are kept to tell a repetition from news;
 *     about 200 bytes each, and all the memory that grows. Let it cover what a crash may repeat:
 *     two checkpoint intervals, an event per stream and second. A repetition that comes later than
 *     that is reported again
 * @param timeout how long {@link TextEventReader#open} may take until the broker has answered
 * @param client further properties of the Kafka client, e.g. for TLS; they win
 */
public record TextReaderOptions(
    String brokers,
    String topic,
    Reading reading,
    Start start,
    Set<String> streams,
    int rememberedEvents,
    Duration timeout,
    Map<String, String> client) {
  /** Which of the two readings of the topic (architecture §8). */
  public enum Reading {
    /**
     * {@code read_uncommitted}: as soon as the text exists. After a crash of the job an event may
     * come again, with the same bytes, which the reader drops; the last event of an identity counts
     * ({@link ReceivedText#changed}). For captions, screens, alarms.
     */
    LIVE,
    /**
     * {@code read_committed}: exactly once, when the checkpoint that contains it is complete, up to
     * the job's {@code checkpoint.interval} later. For whatever keeps what it is told.
     */
    COMMITTED
  }

  /** Where to begin. */
  public sealed interface Start {}

  /** With the oldest record that the broker still has. */
  public record FromBeginning() implements Start {}

  /** With records written from now on. */
  public record FromEnd() implements Start {}

  /** With the first record written at or after an instant; if there is none, as {@link FromEnd}. */
  public record FromTime(Instant instant) implements Start {}

  /**
   * Where another reader was: {@link TextEventReader#positions}, stored with what was made of the
   * events before. Partitions that are not named are read from the beginning, positions that the
   * broker no longer has go on with the oldest that it has.
   *
   * @param next partition → offset of the next record
   */
  public record FromPositions(Map<Integer, Long> next) implements Start {
    public FromPositions {
      next = Map.copyOf(next);
    }
  }

  public TextReaderOptions {
    streams = Set.copyOf(streams);
    client = Map.copyOf(client);
    if (rememberedEvents < 1) {
      throw new IllegalArgumentException(
          "rememberedEvents is %d; at least 1 is needed to drop repetitions"
              .formatted(rememberedEvents));
    }
  }

  /** Live, all streams, from the end, 100,000 remembered events, 10 seconds. */
  public static TextReaderOptions of(String brokers, String topic) {
    return new TextReaderOptions(
        brokers,
        topic,
        Reading.LIVE,
        new FromEnd(),
        Set.of(),
        100_000,
        Duration.ofSeconds(10),
        Map.of());
  }

  public TextReaderOptions reading(Reading value) {
    return new TextReaderOptions(
        brokers, topic, value, start, streams, rememberedEvents, timeout, client);
  }

  public TextReaderOptions start(Start value) {
    return new TextReaderOptions(
        brokers, topic, reading, value, streams, rememberedEvents, timeout, client);
  }

  public TextReaderOptions streams(Set<String> value) {
    return new TextReaderOptions(
        brokers, topic, reading, start, value, rememberedEvents, timeout, client);
  }

  public TextReaderOptions rememberedEvents(int value) {
    return new TextReaderOptions(brokers, topic, reading, start, streams, value, timeout, client);
  }

  public TextReaderOptions timeout(Duration value) {
    return new TextReaderOptions(
        brokers, topic, reading, start, streams, rememberedEvents, value, client);
  }

  public TextReaderOptions client(Map<String, String> value) {
    return new TextReaderOptions(
        brokers, topic, reading, start, streams, rememberedEvents, timeout, value);
  }
}
