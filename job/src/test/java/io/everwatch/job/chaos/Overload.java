// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import io.everwatch.job.audit.AuditOptions;
import io.everwatch.job.audit.AuditReport;
import io.everwatch.job.audit.TopicAudit;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.chaos.TextArrivals.Arrival;
import io.everwatch.job.config.Parsers;
import io.everwatch.job.process.Cameras;
import io.everwatch.job.process.Cluster;
import io.everwatch.schemas.TextReaderOptions.Reading;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * More cameras at real-time pace than the engine can understand, with {@code overload: live}: what
 * is understood and what is skipped, how late the text is, and whether every stream gets its share.
 *
 * <pre>
 *   --streams 40 --minutes 10
 *   --max-lag 5s                beyond it chunks are skipped
 *   --batch-rounds 0            rounds that share a step; 0: the default of the device
 *   --plain true                plain Java products on one thread: an engine slow enough to leave
 *                               the cameras and the broker their part of the same machine
 *   --dir target/overload       logs, records and checkpoints
 *   --out overload.md
 * </pre>
 */
public final class Overload {
  private static final double MIB = 1 << 20;
  private static final String ROUNDS = "rounds";
  private static final String SKIPPED = "skip.OVERLOAD.chunksSkipped";
  private static final String IN_FLIGHT = "inFlight";

  private final Arguments options;
  private final int streams;
  private final List<String> rows = new ArrayList<>();

  private Overload(Arguments options) {
    this.options = options;
    this.streams = options.integer("streams");
  }

  public static void main(String[] arguments) throws Exception {
    new Overload(
            new Arguments(
                Map.of(
                    "streams", "40",
                    "minutes", "10",
                    "max-lag", "5s",
                    "batch-rounds", "0",
                    "plain", "true",
                    "dir", "target/overload",
                    "out", "overload.md"),
                arguments))
        .run();
  }

  private void run() throws Exception {
    try (Cluster cluster =
        Cluster.at(options.runFolder())
            .jvmFlags("-XX:+UseSerialGC")
            .flink("taskmanager.memory.process.size", "1700m") // cached rows lie in the heap
            .start()) {
      String job =
          cluster
              .jobs()
              .submit(
                  "parallelism",
                  "2",
                  "threads",
                  "1",
                  "engine.plain-products",
                  options.text("plain"),
                  "engine.batch-rounds",
                  options.text("batch-rounds"),
                  "overload",
                  "live",
                  "overload.max-lag",
                  options.text("max-lag"));
      OperatorFigures figures = new OperatorFigures(cluster.rest(), job);
      List<Arrival> understood;
      try (Cameras cameras =
              new Cameras(cluster.clientProperties(), TopicNames.FRAMES, streams, 1, 1.0);
          ProcessProbe probe = ProcessProbe.of(cluster.taskManagers().get(0).pid());
          TextArrivals live = new TextArrivals(cluster.brokers(), TopicNames.TEXT, Reading.LIVE)) {
        minute(figures, probe, live); // warm-up: memories fill, the compiler comes
        rows.clear();
        long from = System.currentTimeMillis();
        for (int i = 0; i < options.integer("minutes"); i++) {
          minute(figures, probe, live);
        }
        long to = System.currentTimeMillis();
        understood =
            live.all().stream()
                .filter(arrival -> arrival.readMillis() > from && arrival.readMillis() <= to)
                .toList();
        cameras.end();
      }
      cluster.await(
          "the end of what waits", () -> figures.sums(IN_FLIGHT).getOrDefault(IN_FLIGHT, 1.0) < 1);
      cluster.jobs().stopWithSavepoint(job); // commits the last text
      report(understood, audit(cluster));
    }
  }

  private void minute(OperatorFigures figures, ProcessProbe probe, TextArrivals live)
      throws Exception {
    Map<String, Double> before = figures.sums(ROUNDS, SKIPPED);
    long from = System.currentTimeMillis();
    Thread.sleep(Duration.ofMinutes(1).toMillis()); // what is measured
    Map<String, Double> after = figures.sums(ROUNDS, SKIPPED);
    long to = System.currentTimeMillis();
    double seconds = (to - from) / 1e3;
    long[] lags =
        live.all().stream()
            .filter(arrival -> arrival.readMillis() > from && arrival.readMillis() <= to)
            .mapToLong(Arrival::lagMillis)
            .sorted()
            .toArray();
    rows.add(
        String.format(
            Locale.ROOT,
            "| %d | %.1f | %.1f | %.1f | %.1f s | %.1f s | %.1f s | %.0f | %.0f |",
            rows.size() + 1,
            (double) streams,
            rate(ROUNDS, before, after, seconds),
            rate(SKIPPED, before, after, seconds),
            quantile(lags, 0.5),
            quantile(lags, 0.95),
            quantile(lags, 1),
            probe.heapAfterCollection() / MIB,
            probe.residentBytes() / MIB));
    System.out.println(rows.get(rows.size() - 1));
  }

  private static double rate(
      String name, Map<String, Double> before, Map<String, Double> after, double seconds) {
    return (after.getOrDefault(name, 0.0) - before.getOrDefault(name, 0.0)) / seconds;
  }

  /** Seconds; NaN when nothing came. */
  private static double quantile(long[] sortedMillis, double share) {
    return sortedMillis.length == 0
        ? Double.NaN
        : sortedMillis[(int) Math.ceil(share * sortedMillis.length) - 1] / 1e3;
  }

  /** A row for each partition of the frames topic, and one for all. */
  private List<String> shares(List<Arrival> understood) {
    Map<Integer, Map<String, Long>> byPartition = new TreeMap<>();
    for (Arrival arrival : understood) {
      byPartition
          .computeIfAbsent(arrival.partition(), partition -> new TreeMap<>())
          .merge(arrival.streamId(), 1L, Long::sum);
    }
    List<String> lines = new ArrayList<>();
    lines.add("| partition of the frames topic | streams | least | median | most |");
    lines.add("| --- | --- | --- | --- | --- |");
    List<Long> all = new ArrayList<>();
    byPartition.forEach(
        (partition, streamCounts) -> {
          lines.add(share(Integer.toString(partition), streamCounts.values()));
          all.addAll(streamCounts.values());
        });
    all.addAll(Collections.nCopies(streams - all.size(), 0L)); // they never had a text
    lines.add(share("all", all));
    return lines;
  }

  private static String share(String name, Collection<Long> counts) {
    long[] sorted = counts.stream().mapToLong(Long::longValue).sorted().toArray();
    return "| %s | %d | %d | %d | %d |"
        .formatted(
            name, sorted.length, sorted[0], sorted[sorted.length / 2], sorted[sorted.length - 1]);
  }

  private String lag(List<Arrival> understood) {
    long[] lags = understood.stream().mapToLong(Arrival::lagMillis).sorted().toArray();
    long bound = Parsers.duration(options.text("max-lag")).toMillis();
    return String.format(
        Locale.ROOT,
        "Lag of all: median %.1f s, p95 %.1f s, p99 %.1f s, largest %.1f s; %.2f %% within %d ms.",
        quantile(lags, 0.5),
        quantile(lags, 0.95),
        quantile(lags, 0.99),
        quantile(lags, 1),
        100.0 * Arrays.stream(lags).filter(lag -> lag <= bound).count() / lags.length,
        bound);
  }

  private static AuditReport audit(Cluster cluster) {
    return TopicAudit.run(
        new AuditOptions(
            cluster.clientProperties(),
            TopicNames.defaults(),
            Set.of(),
            /* frames= */ true,
            /* atLeastOnce= */ false,
            Duration.ofSeconds(30)),
        violation -> System.err.println(violation.line()));
  }

  private void report(List<Arrival> understood, AuditReport audit) throws Exception {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "%d cameras, %s minutes after one of warm-up, overload.max-lag %s; %d chunks"
                + " understood. Audit of all: %s; %,d chunks answered, %,d in gaps,"
                + " %,d unexplained; %,d frames received = %,d used + %,d skipped +"
                + " %,d surplus + %,d duplicate + %,d unusable.",
            streams,
            options.text("minutes"),
            options.text("max-lag"),
            understood.size(),
            audit.clean() ? "clean" : audit.violations() + " violations",
            audit.chunks().answered(),
            audit.chunks().inGaps(),
            audit.chunks().unexplained(),
            audit.counts().received(),
            audit.counts().used(),
            audit.counts().skipped(),
            audit.counts().surplus(),
            audit.counts().duplicate(),
            audit.counts().unusable()));
    lines.add("");
    lines.add(
        "| minute | chunks offered / s | understood / s | skipped / s | lag of what is understood,"
            + " median | p95 | largest | heap after GC, MiB | resident, MiB |");
    lines.add("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    lines.addAll(rows);
    lines.add("");
    lines.add(lag(understood));
    lines.add("");
    lines.add("Chunks understood of each stream:");
    lines.add("");
    lines.addAll(shares(understood));
    Files.write(Path.of(options.text("out")), lines, StandardCharsets.UTF_8);
    lines.forEach(System.out::println);
  }
}
