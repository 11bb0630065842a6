// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.chaos.TextArrivals.Arrival;
import io.everwatch.job.process.Cameras;
import io.everwatch.job.process.Cluster;
import io.everwatch.job.process.JvmProcess;
import io.everwatch.schemas.TextReaderOptions.Reading;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;

/**
 * Time from the {@code kill -9} of the TaskManager that runs the whole job to text going on, at
 * real-time pace. A second TaskManager stands by; the killed one is started again when the text has
 * caught up, so that its start costs the measured one nothing.
 *
 * <pre>
 *   --streams 8 --kills 5
 *   --interval 10s              between checkpoints
 *   --pause-seconds 45          from one recovery to the next kill: the logs grow meanwhile
 *   --threads 2                 of the engine
 *   --dir target/recovery       logs, records and checkpoints
 *   --out recovery.md           rows are added to it
 * </pre>
 */
public final class Recovery {
  /** A stream has caught up when its text is not later than this, as before the kill. */
  private static final long CAUGHT_UP_MILLIS = 1_000;

  private static final Pattern STEP_THREAD = Pattern.compile("everwatch-step");
  private static final Duration LOOK = Duration.ofSeconds(10);

  static final String HEAD =
      "| streams | checkpoint interval | engine busy | kills | live text goes on, first stream | all"
          + " streams | caught up | committed text, all streams | rounds run again |\n"
          + "| --- | --- | --- | --- | --- | --- | --- | --- | --- |";

  /** One kill; seconds since it. */
  private record Sample(
      double busy, double first, double all, double caughtUp, double committed, double replayed) {}

  private final Arguments options;
  private final int streams;
  private final List<Sample> samples = new ArrayList<>();

  private Recovery(Arguments options) {
    this.options = options;
    this.streams = options.integer("streams");
  }

  public static void main(String[] arguments) throws Exception {
    new Recovery(
            new Arguments(
                Map.of(
                    "streams", "8",
                    "kills", "5",
                    "interval", "10s",
                    "pause-seconds", "45",
                    "threads", "2",
                    "dir", "target/recovery",
                    "out", "recovery.md"),
                arguments))
        .run();
  }

  private void run() throws Exception {
    try (Cluster cluster =
        Cluster.at(options.runFolder())
            .taskManagers(2)
            .jvmFlags("-XX:+UseSerialGC")
            .flink("taskmanager.memory.process.size", "1400m") // cached rows lie in the heap
            .start()) {
      String job =
          cluster
              .jobs()
              .submit(
                  "parallelism",
                  "2",
                  "threads",
                  options.text("threads"),
                  "engine.kv-memory",
                  "256 MiB",
                  "checkpoint.interval",
                  options.text("interval"));
      OperatorFigures figures = new OperatorFigures(cluster.rest(), job);
      String topic = TopicNames.TEXT;
      try (Cameras cameras =
              new Cameras(cluster.clientProperties(), TopicNames.FRAMES, streams, 1, 1.0);
          TextArrivals live = new TextArrivals(cluster.brokers(), topic, Reading.LIVE);
          TextArrivals committed = new TextArrivals(cluster.brokers(), topic, Reading.COMMITTED)) {
        awaitAll(cluster, committed, 0);
        for (int i = 0; i < options.integer("kills"); i++) {
          // For logs to grow and readers to catch up: video at real-time pace takes its time.
          Thread.sleep(Duration.ofSeconds(options.number("pause-seconds")).toMillis());
          samples.add(measure(cluster, figures, live, committed));
          System.out.printf("kill %d: %s%n", i + 1, samples.get(i));
        }
        cameras.end();
      }
      cluster.jobs().cancel(job);
    }
    report();
  }

  private Sample measure(
      Cluster cluster, OperatorFigures figures, TextArrivals live, TextArrivals committed)
      throws Exception {
    JvmProcess victim = victim(cluster, figures);
    double busy = busy(victim);
    long at = System.currentTimeMillis();
    victim.kill();
    awaitAll(cluster, live, at);
    awaitAll(cluster, committed, at);
    cluster.await("text of all streams in time again", () -> caughtUp(live, at).size() == streams);
    double replayed = figures.sums("roundsReplayed").getOrDefault("roundsReplayed", Double.NaN);
    victim.start();
    cluster.awaitTaskManagers(2);
    Map<String, Long> news = live.firstReadAfter(at);
    return new Sample(
        busy,
        seconds(at, Collections.min(news.values())),
        seconds(at, Collections.max(news.values())),
        seconds(at, Collections.max(caughtUp(live, at).values())),
        seconds(at, Collections.max(committed.firstReadAfter(at).values())),
        replayed);
  }

  /** The TaskManager that all subtasks are on. */
  private static JvmProcess victim(Cluster cluster, OperatorFigures figures) throws Exception {
    List<String> names = figures.taskManagers().stream().distinct().toList();
    if (names.size() != 1) {
      throw new AssertionError("expected the whole job on one TaskManager; it is on " + names);
    }
    return cluster.taskManagers().stream()
        .filter(process -> process.name().equals(names.get(0)))
        .findFirst()
        .orElseThrow();
  }

  /** Share of the last seconds in which the engine's step thread worked. */
  private static double busy(JvmProcess process) throws Exception {
    try (ProcessProbe probe = ProcessProbe.of(process.pid())) {
      long start = System.nanoTime();
      Duration before = probe.cpuOfThreads(STEP_THREAD);
      Thread.sleep(LOOK.toMillis()); // the interval that is measured
      Duration worked = probe.cpuOfThreads(STEP_THREAD).minus(before);
      return worked.toNanos() / (double) (System.nanoTime() - start);
    }
  }

  /** When each stream's text was in time again, of those that are. */
  private static Map<String, Long> caughtUp(TextArrivals live, long since) {
    Map<String, Long> inTime = new HashMap<>();
    for (Arrival arrival : live.all()) {
      if (arrival.doneMillis() > since && arrival.lagMillis() <= CAUGHT_UP_MILLIS) {
        inTime.putIfAbsent(arrival.streamId(), arrival.readMillis());
      }
    }
    return inTime;
  }

  private void awaitAll(Cluster cluster, TextArrivals text, long since) throws Exception {
    cluster.await("text of all streams", () -> text.streamsDoneAfter(since).size() == streams);
  }

  private static double seconds(long from, long to) {
    return (to - from) / 1e3;
  }

  private void report() throws Exception {
    String row =
        String.format(
            Locale.ROOT,
            "| %d | %s | %.0f %% | %d | %s | %s | %s | %s | %.0f |",
            streams,
            options.text("interval"),
            100 * median(Sample::busy),
            samples.size(),
            spread(Sample::first),
            spread(Sample::all),
            spread(Sample::caughtUp),
            spread(Sample::committed),
            median(Sample::replayed));
    Path out = Path.of(options.text("out"));
    if (!Files.exists(out)) {
      Files.writeString(out, HEAD + "\n");
    }
    Files.writeString(out, row + "\n", StandardOpenOption.APPEND);
    System.out.println(row);
  }

  private double median(ToDoubleFunction<Sample> figure) {
    return Flatness.median(samples.stream().map(figure::applyAsDouble).toList());
  }

  /** Median, smallest and largest. */
  private String spread(ToDoubleFunction<Sample> figure) {
    double[] sorted = samples.stream().mapToDouble(figure).sorted().toArray();
    return String.format(
        Locale.ROOT,
        "**%.1f s** (%.1f to %.1f)",
        median(figure),
        sorted[0],
        sorted[sorted.length - 1]);
  }
}
