// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import io.everwatch.job.audit.AuditOptions;
import io.everwatch.job.audit.AuditReport;
import io.everwatch.job.audit.TopicAudit;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.process.Cluster;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.TextReaderOptions.FromTime;
import io.everwatch.schemas.TextReaderOptions.Reading;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Hours of video through the real job in fast mode: broker, JobManager and TaskManager (RocksDB,
 * the shipped model) as processes of their own, fed as fast as they answer. Samples what must not
 * grow, and says of each figure whether it did ({@link Flatness}).
 *
 * <pre>
 *   --streams 1 --hours 24      what to reach
 *   --limit-minutes 1000000     of wall clock, after which it ends with what it has
 *   --sample-seconds 20         between two samples
 *   --dir target/long-run       logs, records and checkpoints; some GB
 *   --out long-run.md           the table; written anew with each sample
 * </pre>
 */
public final class LongRun {
  private static final int PARTITIONS = 4; // as the cluster makes its topics
  private static final int PARALLELISM = 2;
  private static final int LOOP_SECONDS = 600;
  private static final int MAX_LOOPS = 4;
  private static final Duration SILENCE = Duration.ofMinutes(3);
  private static final Duration POLL = Duration.ofMillis(5);
  private static final int TABLE_ROWS = 16;

  private final Arguments options;
  private final Path dir;
  private final List<JobSample> samples = new ArrayList<>();

  private LongRun(Arguments options) {
    this.options = options;
    this.dir = options.runFolder();
  }

  public static void main(String[] arguments) throws Exception {
    Arguments options =
        new Arguments(
            Map.of(
                "streams", "1",
                "hours", "24",
                "limit-minutes", "1000000",
                "sample-seconds", "20",
                "threads", "1",
                "dir", "target/long-run",
                "out", "long-run.md"),
            arguments);
    new LongRun(options).run();
  }

  private void run() throws Exception {
    int streams = options.integer("streams");
    try (Cluster cluster =
        Cluster.at(dir)
            .jvmFlags("-XX:+UseSerialGC")
            // A heap that is there from the start: what resident memory gains is native.
            .taskManagerFlags("-XX:+AlwaysPreTouch")
            .flink("taskmanager.memory.process.size", "1400m") // cached rows lie in the heap
            .start()) {
      limitFrames(cluster);
      String job =
          cluster
              .jobs()
              .submit(
                  "parallelism",
                  Integer.toString(Math.min(streams, PARALLELISM)),
                  "threads",
                  options.text("threads"),
                  "checkpoint.interval",
                  "10 s",
                  "engine.kv-memory",
                  "256 MiB",
                  "start",
                  "earliest");
      try (JobWatch watch =
              new JobWatch(
                  new OperatorFigures(cluster.rest(), job),
                  ProcessProbe.of(cluster.taskManagers().get(0).pid()));
          FastFeed feed = feed(cluster.brokers());
          TextEventReader reader = reader(cluster.brokers())) {
        feed(feed, reader, watch);
        Instant end = Instant.now();
        feed.end();
        awaitEnd(feed, cluster.brokers(), end);
        report(feed, audit(cluster.brokers()));
      }
    }
  }

  private FastFeed feed(String brokers) {
    int streams = options.integer("streams");
    List<SceneLoop> loops = new ArrayList<>();
    for (int i = 0; i < Math.min(streams, MAX_LOOPS); i++) {
      loops.add(SceneLoop.draw(1 + i, LOOP_SECONDS));
    }
    List<LoopCamera> cameras = new ArrayList<>();
    for (int i = 0; i < streams; i++) {
      cameras.add(
          new LoopCamera(
              "camera-" + (i + 1),
              loops.get(i % loops.size()),
              (long) i / loops.size() * SceneLoop.FPS * 37,
              LoopCamera.START_MICROS));
    }
    return new FastFeed(
        Map.of("bootstrap.servers", brokers),
        TopicNames.FRAMES,
        PARTITIONS,
        streams == 1 ? 32 : 4,
        cameras);
  }

  private static TextEventReader reader(String brokers) {
    return TextEventReader.open(
        TextReaderOptions.of(brokers, TopicNames.TEXT)
            .reading(Reading.LIVE)
            .start(new FromBeginning()));
  }

  private void feed(FastFeed feed, TextEventReader reader, JobWatch watch) throws Exception {
    long goal = Math.round(options.real("hours") * 3600);
    long end = System.nanoTime() + Duration.ofMinutes(options.number("limit-minutes")).toNanos();
    long interval = Duration.ofSeconds(options.number("sample-seconds")).toNanos();
    long nextSample = System.nanoTime() + interval;
    long lastAnswer = System.nanoTime();
    while (feed.seconds() < goal && System.nanoTime() - end < 0) {
      feed.send(goal);
      long before = feed.chunks();
      reader.poll(POLL).forEach(feed::answered);
      long now = System.nanoTime();
      if (feed.chunks() > before) {
        lastAnswer = now;
      } else if (now - lastAnswer > SILENCE.toNanos()) {
        throw new IllegalStateException(
            "no answer for %s after chunk %d".formatted(SILENCE, feed.seconds()));
      }
      if (now - nextSample > 0) {
        samples.add(watch.sample(feed.seconds(), feed.chunks()));
        nextSample = System.nanoTime() + interval;
        write(feed, "running");
      }
    }
    samples.add(watch.sample(feed.seconds(), feed.chunks()));
  }

  /** Until the committed reading has the end of every stream. */
  private static void awaitEnd(FastFeed feed, String brokers, Instant start) {
    long deadline = System.nanoTime() + SILENCE.toNanos();
    int ended = 0;
    try (TextEventReader reader =
        TextEventReader.open(
            TextReaderOptions.of(brokers, TopicNames.TEXT)
                .reading(Reading.COMMITTED)
                .start(new FromTime(start)))) {
      while (ended < feed.streamIds().size() && System.nanoTime() - deadline < 0) {
        for (ReceivedText text : reader.poll(Duration.ofMillis(200))) {
          ended += text.event().getKind() == TextKind.ENDED ? 1 : 0;
        }
      }
    }
  }

  private static AuditReport audit(String brokers) {
    return TopicAudit.run(
        new AuditOptions(
            Map.of("bootstrap.servers", brokers),
            TopicNames.defaults(),
            Set.of(),
            /* frames= */ false,
            /* atLeastOnce= */ false,
            Duration.ofSeconds(30)),
        violation -> System.err.println(violation.line()));
  }

  private void report(FastFeed feed, AuditReport audit) throws IOException {
    write(
        feed,
        "ended; `everwatch audit` of the topics: %s, %,d committed events"
            .formatted(
                audit.clean() ? "clean" : audit.violations() + " violations",
                audit.committedEvents()));
  }

  private List<Flatness> verdicts() {
    return List.of(
        verdict("rows", JobSample::rows, 0.01),
        verdict("position", JobSample::position, 0.01),
        Flatness.ofFloor("heap after GC, MiB", of(JobSample::heapMiB), 0.05),
        verdict("resident, MiB", JobSample::residentMiB, 0.05),
        verdict("direct buffers, MiB", JobSample::directMiB, 0.05),
        verdict("threads", JobSample::threads, 0.02),
        verdict("CPU per chunk, ms", JobSample::cpuMillis, 0.1),
        verdict("model per chunk, ms", JobSample::modelMillis, 0.1),
        Flatness.ofFloor("checkpoint, KiB", of(JobSample::stateKiB), 0.1));
  }

  private Flatness verdict(String name, ToDoubleFunction<JobSample> figure, double tolerance) {
    return Flatness.of(name, of(figure), tolerance);
  }

  private List<Double> of(ToDoubleFunction<JobSample> figure) {
    return samples.stream().map(figure::applyAsDouble).toList();
  }

  private void write(FastFeed feed, String state) throws IOException {
    try (PrintStream out =
        new PrintStream(Path.of(options.text("out")).toFile(), StandardCharsets.UTF_8)) {
      JobSample last = samples.get(samples.size() - 1);
      out.printf(
          Locale.ROOT,
          "%d stream(s): %.1f of %s hours of video each, %,d chunks (%,d with words) in %.1f min; %d"
              + " samples; %s.%n%n",
          feed.streamIds().size(),
          last.streamSeconds() / 3600.0,
          options.text("hours"),
          feed.chunks(),
          feed.comments(),
          last.wallSeconds() / 60,
          samples.size(),
          state);
      out.println("| figure | first third | last third | growth | allowed | verdict |");
      out.println("| --- | --- | --- | --- | --- | --- |");
      verdicts().forEach(verdict -> out.println(verdict.row()));
      out.println();
      out.println(JobSample.HEAD);
      int step = Math.max(1, (samples.size() + TABLE_ROWS - 1) / TABLE_ROWS);
      for (int i = 0; i < samples.size(); i += step) {
        out.println(samples.get(i).row());
      }
      if ((samples.size() - 1) % step != 0) {
        out.println(last.row());
      }
    }
  }

  /** Frames need not be kept for an hour of fast mode: what the newest checkpoint needs will do. */
  private static void limitFrames(Cluster cluster) throws Exception {
    try (Admin admin = Admin.create(cluster.clientProperties())) {
      admin
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.TOPIC, TopicNames.FRAMES),
                  List.of(set("retention.bytes", "1073741824"), set("segment.bytes", "134217728"))))
          .all()
          .get();
    }
  }

  private static AlterConfigOp set(String key, String value) {
    return new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
  }
}
