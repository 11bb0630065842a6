// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.process.Cameras;
import io.everwatch.job.process.Cluster;
import io.everwatch.job.process.FlinkRest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;
import org.rocksdb.TableProperties;

/**
 * What checkpoints cost at real-time pace: sizes and durations by Flink's account, and what really
 * appears in the checkpoint directory and in RocksDB's own, file by file, by column family.
 *
 * <pre>
 *   --streams 8 --minutes 5
 *   --interval 10s --snapshot 60s --space-factor 3
 *   --dir target/checkpoints    logs, records and checkpoints
 *   --out checkpoints.md        rows are added to it
 * </pre>
 */
public final class CheckpointFigures {
  private static final double KIB = 1024;
  private static final String OTHER = "metadata and other operators";

  private final Arguments options;
  private final Path dir;
  private final int streams;

  /** Counters of the job at a moment. */
  private record Counted(long nanos, double logBytes, double snapshots, double snapshotBytes) {
    static Counted of(OperatorFigures figures) throws IOException, InterruptedException {
      Map<String, Double> sums = figures.sums("logBytes", "snapshots", "snapshotBytes");
      return new Counted(
          System.nanoTime(),
          sums.getOrDefault("logBytes", 0.0),
          sums.getOrDefault("snapshots", 0.0),
          sums.getOrDefault("snapshotBytes", 0.0));
    }

    Counted since(Counted before) {
      return new Counted(
          nanos - before.nanos,
          logBytes - before.logBytes,
          snapshots - before.snapshots,
          snapshotBytes - before.snapshotBytes);
    }
  }

  private CheckpointFigures(Arguments options) {
    this.options = options;
    this.dir = options.runFolder();
    this.streams = options.integer("streams");
  }

  public static void main(String[] arguments) throws Exception {
    new CheckpointFigures(
            new Arguments(
                Map.of(
                    "streams", "8",
                    "minutes", "5",
                    "warm-seconds", "75",
                    "interval", "10s",
                    "snapshot", "60s",
                    "space-factor", "3",
                    "dir", "target/checkpoints",
                    "out", "checkpoints.md"),
                arguments))
        .run();
  }

  private void run() throws Exception {
    try (Cluster cluster =
        Cluster.at(dir)
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
                  "2",
                  "engine.kv-memory",
                  "256 MiB",
                  "checkpoint.interval",
                  options.text("interval"),
                  "snapshot.interval",
                  options.text("snapshot"),
                  "state.space-factor",
                  options.text("space-factor"));
      OperatorFigures figures = new OperatorFigures(cluster.rest(), job);
      try (Cameras cameras =
          new Cameras(cluster.clientProperties(), TopicNames.FRAMES, streams, 1, 1.0)) {
        // Until merges and snapshots have their rhythm: time is what is asked for.
        Thread.sleep(Duration.ofSeconds(options.number("warm-seconds")).toMillis());
        awaitNextCheckpoint(cluster, job);
        measure(cluster, job, figures);
        cameras.end();
      }
      cluster.jobs().cancel(job);
    }
  }

  private void measure(Cluster cluster, String job, OperatorFigures figures) throws Exception {
    Path local = dir.resolve("tmp").resolve("tm-1");
    Counted before = Counted.of(figures);
    int first = cluster.rest().completedCheckpoints(job);
    try (FileKeeper checkpoints =
            new FileKeeper(cluster.checkpoints(), dir.resolve("kept/checkpoints"), path -> true);
        FileKeeper tables =
            new FileKeeper(
                local, dir.resolve("kept/local"), path -> path.toString().endsWith(".sst"))) {
      // The window that is measured.
      Thread.sleep(Duration.ofMinutes(options.number("minutes")).toMillis());
      awaitNextCheckpoint(cluster, job);
      Counted made = Counted.of(figures).since(before);
      int count = cluster.rest().completedCheckpoints(job) - first;
      report(
          made,
          count,
          byFamily(checkpoints.finish()),
          byFamily(tables.finish()),
          cluster.rest().checkpoints(job));
    }
  }

  private static void awaitNextCheckpoint(Cluster cluster, String job) throws Exception {
    FlinkRest rest = cluster.rest();
    int now = rest.completedCheckpoints(job);
    cluster.await("another checkpoint", () -> rest.completedCheckpoints(job) > now);
  }

  /** Bytes of files by RocksDB column family, that is by state; {@link #OTHER} for the rest. */
  private static Map<String, Double> byFamily(List<Path> files) throws IOException {
    RocksDB.loadLibrary();
    Map<String, Double> bytes = new TreeMap<>();
    try (Options open = new Options()) {
      for (Path file : files) {
        bytes.merge(family(open, file), (double) Files.size(file), Double::sum);
      }
    }
    return bytes;
  }

  private static String family(Options open, Path file) {
    try (SstFileReader reader = new SstFileReader(open)) {
      reader.open(file.toString());
      TableProperties properties = reader.getTableProperties();
      return new String(properties.getColumnFamilyName(), StandardCharsets.UTF_8);
    } catch (RocksDBException notATable) {
      return OTHER;
    }
  }

  private void report(
      Counted made,
      int count,
      Map<String, Double> uploaded,
      Map<String, Double> local,
      JsonNode flink)
      throws IOException {
    double seconds = made.nanos / 1e9;
    double memory = made.snapshotBytes / Math.max(1, made.snapshots);
    // The log is replaced when it has grown as large as the memory, at the latest after the
    // interval.
    double interval = Math.min(snapshotSeconds(), memory / (made.logBytes / seconds / streams));
    double allowed = streams * memory / interval * seconds;
    double total = sum(uploaded);
    JsonNode summary = flink.path("summary");
    List<String> lines = new ArrayList<>();
    lines.add(
        line(
            "%d streams at real-time pace, checkpoint interval %s, snapshot interval %s, space"
                + " factor %s, %.0f s, %d checkpoints",
            streams,
            options.text("interval"),
            options.text("snapshot"),
            options.text("space-factor"),
            seconds,
            count));
    lines.add("");
    lines.add("| figure | value | limit |");
    lines.add("| --- | --- | --- |");
    lines.add(
        line(
            "| a checkpoint, end to end | median %.0f ms, p95 %.0f ms | |",
            summary.path("end_to_end_duration").path("p50").asDouble(),
            summary.path("end_to_end_duration").path("p95").asDouble()));
    lines.add(
        line(
            "| new bytes of a checkpoint per stream | %.1f KiB | |",
            total / count / streams / KIB));
    lines.add(
        line(
            "| all of a stream's state in a checkpoint | %.1f KiB | |",
            summary.path("state_size").path("p50").asDouble() / streams / KIB));
    lines.add(
        line(
            "| encoded input per stream | %.1f KiB/s | |",
            made.logBytes / seconds / streams / KIB));
    lines.add(line("| memory of a stream (live KV) | %.1f KiB | |", memory / KIB));
    lines.add(
        line(
            "| time from one snapshot of a stream to the next | %.1f s; the log is as large as the"
                + " memory after %.1f s | |",
            streams * seconds / made.snapshots, memory / (made.logBytes / seconds / streams)));
    lines.add(
        line(
            "| log in the checkpoint directory / encoded input | **%.2f** | 1.1 |",
            // A round's log names its frames; their bytes lie in a state of their own.
            (uploaded.getOrDefault("log", 0.0) + uploaded.getOrDefault("pictures", 0.0))
                / made.logBytes));
    lines.add(
        line(
            "| snapshots in the checkpoint directory / (live KV / time between snapshots) | **%.2f**"
                + " | 1.1 |",
            uploaded.getOrDefault("pieces", 0.0) / allowed));
    lines.add(
        line(
            "| snapshots in the checkpoint directory / snapshots written by the job | %.2f | |",
            uploaded.getOrDefault("pieces", 0.0) / made.snapshotBytes));
    lines.add(
        line(
            "| local write amplification: RocksDB's files / bytes put | %.2f | |",
            sum(local) / (made.logBytes + made.snapshotBytes)));
    lines.add("");
    lines.add(
        "| state | checkpoint directory, KiB/s per stream | RocksDB's own files, KiB/s per stream |");
    lines.add("| --- | --- | --- |");
    Map<String, Double> names = new TreeMap<>(uploaded);
    local.forEach(names::putIfAbsent);
    for (String name : names.keySet()) {
      lines.add(
          line(
              "| %s | %.2f | %.2f |",
              name,
              uploaded.getOrDefault(name, 0.0) / seconds / streams / KIB,
              local.getOrDefault(name, 0.0) / seconds / streams / KIB));
    }
    lines.add("");
    Files.write(
        Path.of(options.text("out")), lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    lines.forEach(System.out::println);
  }

  private double snapshotSeconds() {
    return Double.parseDouble(options.text("snapshot").replaceAll("\\D", ""));
  }

  private static double sum(Map<String, Double> bytes) {
    return bytes.values().stream().mapToDouble(Double::doubleValue).sum();
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
