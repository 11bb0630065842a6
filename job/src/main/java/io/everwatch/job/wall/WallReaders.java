// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromPositions;
import io.everwatch.schemas.TextReaderOptions.FromTime;
import io.everwatch.schemas.TextReaderOptions.Reading;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;

/** The threads that read the topics for a {@link Wall}; each fails alone. */
final class WallReaders implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(500);

  /** So that cameras that send rarely show a picture at once. */
  private static final Duration FRAMES_BEFORE = Duration.ofSeconds(15);

  /** The wall itself knows what it has; the reader's own memory need cover little. */
  private static final int REMEMBERED = 10_000;

  private final WallOptions options;
  private final Wall wall;
  private final Map<String, ReaderThread> threads = new LinkedHashMap<>();
  private final BrokerWatch broker;

  WallReaders(WallOptions options, Wall wall) {
    this.options = options;
    this.wall = wall;
    broker = new BrokerWatch(client());
    threads.put("text", new ReaderThread("text", new Texts(Reading.LIVE, this::live)::open));
    threads.put(
        "committed",
        new ReaderThread("committed", new Texts(Reading.COMMITTED, this::committed)::open));
    if (options.frames()) {
      threads.put("frames", new ReaderThread("frames", this::frames));
    }
    threads.put("deadLetters", new ReaderThread("dead-letters", this::deadLetters));
  }

  /** By topic: text, committed, frames, deadLetters. */
  Map<String, ReaderStatus> status() {
    Map<String, ReaderStatus> all = new LinkedHashMap<>();
    String away = broker.problem();
    threads.forEach(
        (name, thread) -> {
          ReaderStatus own = thread.status();
          all.put(name, away.isEmpty() ? own : new ReaderStatus(false, own.skipped(), away));
        });
    return all;
  }

  private void live(List<ReceivedText> texts) {
    texts.forEach(wall::said);
    if (texts.isEmpty()) {
      wall.loaded();
    }
  }

  private void committed(List<ReceivedText> texts) {
    texts.forEach(wall::committed);
  }

  /** One reading of the text topic; goes on where it was when it had to be opened again. */
  private final class Texts {
    private final Reading reading;
    private final Consumer<List<ReceivedText>> to;
    private final Instant from = Instant.now().minus(wall.limits().history());
    private final Map<Integer, Long> next = new HashMap<>();

    private Texts(Reading reading, Consumer<List<ReceivedText>> to) {
      this.reading = reading;
      this.to = to;
    }

    private ReaderThread.Source open() {
      TextEventReader reader =
          TextEventReader.open(
              TextReaderOptions.of(options.brokers(), options.topics().text())
                  .reading(reading)
                  .start(next.isEmpty() ? new FromTime(from) : new FromPositions(next))
                  .rememberedEvents(REMEMBERED)
                  .client(options.client()));
      return new ReaderThread.Source() {
        @Override
        public void poll() {
          List<ReceivedText> texts = reader.poll(POLL);
          to.accept(texts);
          texts.forEach(text -> next.put(text.partition(), text.offset() + 1));
        }

        @Override
        public long skipped() {
          return reader.skipped();
        }

        @Override
        public void wakeup() {
          reader.close();
        }

        @Override
        public void close() {
          reader.close();
        }
      };
    }
  }

  private interface Decoding {
    void pass(ConsumerRecord<byte[], byte[]> record, byte[] value) throws WireFormatException;
  }

  private ReaderThread.Source frames() {
    Map<String, Object> client = client();
    client.put("fetch.max.bytes", 16 << 20);
    client.put("max.partition.fetch.bytes", 4 << 20);
    return source(
        tail(client, options.topics().frames(), Instant.now().minus(FRAMES_BEFORE)),
        (record, value) -> wall.frame(WireFormat.decodeFrame(value)));
  }

  private ReaderThread.Source deadLetters() {
    Map<String, Object> client = client();
    client.put("auto.offset.reset", "earliest");
    return source(
        tail(client, options.topics().deadLetters(), Instant.now().minus(wall.limits().history())),
        (record, value) -> wall.deadLetter(WireFormat.decodeDeadLetter(value), record.timestamp()));
  }

  private Map<String, Object> client() {
    Map<String, Object> client = new HashMap<>(options.client());
    client.put("bootstrap.servers", options.brokers());
    return client;
  }

  private static TopicTail tail(Map<String, Object> client, String topic, Instant from) {
    TopicTail tail = new TopicTail(client, topic, from.toEpochMilli());
    if (tail.isEmpty()) {
      tail.close();
      throw new KafkaException(
          "there is no topic %s, or this user may not see it; create it, or check the name"
              .formatted(topic));
    }
    return tail;
  }

  private static ReaderThread.Source source(TopicTail tail, Decoding decoding) {
    return new ReaderThread.Source() {
      private long skipped;

      @Override
      public void poll() {
        for (ConsumerRecord<byte[], byte[]> record : tail.poll(POLL)) {
          try {
            byte[] value = record.value() == null ? new byte[0] : record.value();
            decoding.pass(record, value);
          } catch (WireFormatException e) {
            skipped++; // the job says of each why, in its dead letter
          }
        }
      }

      @Override
      public long skipped() {
        return skipped;
      }

      @Override
      public void wakeup() {
        tail.wakeup();
      }

      @Override
      public void close() {
        tail.close();
      }
    };
  }

  @Override
  public void close() {
    broker.close();
    List<ReaderThread> all = new ArrayList<>(threads.values());
    all.parallelStream().forEach(ReaderThread::close);
  }
}
