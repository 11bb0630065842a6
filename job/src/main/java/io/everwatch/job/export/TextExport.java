// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.export;

import io.everwatch.job.broker.TopicScan;
import io.everwatch.job.config.Nearest;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Finds the events of an interval of capture times. The topic is in the order of writing, so:
 *
 * <ol>
 *   <li>each partition is read from a margin before the interval (a camera's clock may be ahead) to
 *       a margin behind it (the job may be behind), and on as long as a stream of it has not come
 *       to the interval's end;
 *   <li>if nothing was found of a stream that way, the rest of the topic is searched for it: it may
 *       have been published long after it was recorded.
 * </ol>
 */
public final class TextExport {
  private static final long PROGRESS_NANOS = Duration.ofSeconds(5).toNanos();

  /** Names that are told to one who asks for an unknown stream. */
  private static final int NAMES_TOLD = 5;

  private final ExportOptions options;
  private final Consumer<TextEvent> events;
  private final Consumer<String> progress;
  private final Map<String, StreamSearch> streams = new TreeMap<>();
  private final Set<String> names = new TreeSet<>();
  private Set<String> wanted;
  private long records;
  private long unreadable;
  private long found;
  private long told = System.nanoTime();

  private TextExport(ExportOptions options, Consumer<TextEvent> events, Consumer<String> progress) {
    this.options = options;
    this.events = events;
    this.progress = progress;
    this.wanted = options.streams();
  }

  /**
   * Reads the interval.
   *
   * @param events takes each event of it once, those of one stream in their order
   * @param progress a line now and then
   * @throws ExportException when a stream is not known, or nothing was said of it in the interval
   */
  public static ExportReport run(
      ExportOptions options, Consumer<TextEvent> events, Consumer<String> progress) {
    return new TextExport(options, events, progress).run();
  }

  private ExportReport run() {
    try (TopicScan scan =
        new TopicScan(options.client(), options.topic(), options.committed(), options.timeout())) {
      if (!scan.exists()) {
        throw new ExportException(
            "there is no topic %s on this broker; expected the text of a job; give --text-topic"
                .formatted(options.topic()));
      }
      Map<Integer, Long> starts =
          options
              .interval()
              .from()
              .map(from -> scan.offsetsAt(from.minus(options.margin())))
              .orElseGet(scan::begins);
      Map<Integer, Long> stops = new HashMap<>();
      for (Map.Entry<Integer, Long> end : scan.ends().entrySet()) {
        int partition = end.getKey();
        Set<String> open = new HashSet<>();
        stops.put(
            partition,
            scan.read(
                partition,
                starts.getOrDefault(partition, 0L),
                end.getValue(),
                record -> around(record, open)));
      }
      Set<String> missing = missing();
      if (!missing.isEmpty() || found == 0) {
        wanted = missing;
        searchTheRest(scan, starts, stops);
        requireFound(missing());
      }
    }
    int with = (int) streams.values().stream().filter(StreamSearch::hasFound).count();
    return new ExportReport(with, found, records, unreadable);
  }

  private void searchTheRest(TopicScan scan, Map<Integer, Long> starts, Map<Integer, Long> stops) {
    Map<Integer, Long> begins = scan.begins();
    scan.ends()
        .forEach(
            (partition, end) -> {
              long begin = begins.getOrDefault(partition, 0L);
              scan.read(partition, begin, starts.getOrDefault(partition, begin), this::anywhere);
              scan.read(partition, stops.getOrDefault(partition, end), end, this::anywhere);
            });
  }

  /** Takes a record near the interval; whether more of the partition is to be read. */
  private boolean around(ConsumerRecord<byte[], byte[]> record, Set<String> open) {
    take(record)
        .ifPresent(
            event -> {
              if (comesToTheEnd(event)) {
                open.remove(event.getStreamId());
              } else {
                open.add(event.getStreamId());
              }
            });
    Optional<Instant> to = options.interval().to();
    return to.isEmpty()
        || !open.isEmpty()
        || record.timestamp() < to.get().plus(options.margin()).toEpochMilli();
  }

  /** Of a stream of which nothing comes, nothing of the interval will come. */
  private boolean comesToTheEnd(TextEvent event) {
    return options.interval().isBehind(event)
        || event.getKind() == TextKind.STALE
        || event.getKind() == TextKind.ENDED;
  }

  private boolean anywhere(ConsumerRecord<byte[], byte[]> record) {
    take(record);
    return true;
  }

  /** Takes a record; the event that it is, if it is one of a stream that is wanted. */
  private Optional<TextEvent> take(ConsumerRecord<byte[], byte[]> record) {
    records++;
    tell();
    TextEvent event;
    try {
      event = WireFormat.decodeText(record.value() == null ? new byte[0] : record.value());
    } catch (WireFormatException e) {
      unreadable++; // the audit's business
      return Optional.empty();
    }
    String stream = event.getStreamId();
    names.add(stream);
    if (!wanted.isEmpty() && !wanted.contains(stream)) {
      return Optional.empty();
    }
    StreamSearch search = streams.computeIfAbsent(stream, id -> new StreamSearch());
    if (search.see(event) && options.interval().touches(event)) {
      search.find();
      found++;
      events.accept(event);
    }
    return Optional.of(event);
  }

  private void tell() {
    long now = System.nanoTime();
    if (now - told >= PROGRESS_NANOS) {
      told = now;
      progress.accept("%,d records read, %,d events found".formatted(records, found));
    }
  }

  /** Those that were asked for by name, and of which nothing was found. */
  private Set<String> missing() {
    Set<String> missing = new TreeSet<>(options.streams());
    missing.removeIf(
        stream -> {
          StreamSearch search = streams.get(stream);
          return search != null && search.hasFound();
        });
    return missing;
  }

  private void requireFound(Set<String> missing) {
    if (options.streams().isEmpty() && found == 0) {
      throw new ExportException(
          names.isEmpty()
              ? "topic %s holds no text; expected that of a job; is it running?"
                  .formatted(options.topic())
              : "nothing was said %s; kept is %s; choose an interval in it"
                  .formatted(options.interval(), kept(streams.values())));
    }
    if (missing.isEmpty()) {
      return;
    }
    List<String> wrong = new ArrayList<>();
    for (String stream : missing) {
      StreamSearch search = streams.get(stream);
      wrong.add(
          search == null
              ? "there is no stream '%s' in topic %s; %s"
                  .formatted(stream, options.topic(), others(stream))
              : "nothing was said of stream '%s' %s; kept is %s; choose an interval in it"
                  .formatted(stream, options.interval(), kept(List.of(search))));
    }
    throw new ExportException(String.join("; ", wrong));
  }

  private String others(String stream) {
    return names.isEmpty()
        ? "it holds no text at all; is the job running?"
        : "expected one of those in it, such as %s%s"
            .formatted(
                String.join(", ", Nearest.of(stream, List.copyOf(names), NAMES_TOLD)),
                names.size() > NAMES_TOLD
                    ? " (%d in all; everwatch watch shows them)".formatted(names.size())
                    : "");
  }

  private static String kept(Iterable<StreamSearch> searches) {
    long first = Long.MAX_VALUE;
    long last = Long.MIN_VALUE;
    for (StreamSearch search : searches) {
      first = Math.min(first, search.firstMicros());
      last = Math.max(last, search.lastMicros());
    }
    return "text from %s to %s".formatted(time(first), time(last));
  }

  private static Instant time(long micros) {
    return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
  }
}
