// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.flink.MetricsScrape.Sample;
import io.everwatch.operators.flink.UnderstandSettings.Overload;
import io.everwatch.schemas.avro.FrameEncoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.flink.metrics.MetricType;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the operator counts, as Prometheus gets it. */
@Timeout(60)
class OperatorMetricsTest {
  private static final UnderstandSettings SETTINGS =
      new UnderstandSettings(16, Duration.ofSeconds(10), Duration.ZERO, 1 << 16);

  /** A row of docs/metrics.md: name, type, unit, label and its values, meaning. */
  private static final Pattern ROW =
      Pattern.compile("\\| `(\\w+)` \\| (\\w+) \\| ([^|]+) \\| (?:`(\\w+)`[^|]*)? *\\| [^|]+ \\|");

  private final FakeEngines fake = FakeEngines.start();
  private MetricsScrape scrape;
  private Bench bench;

  @BeforeEach
  void open() throws Exception {
    scrape = new MetricsScrape();
    bench = new Bench(fake.engine(), SETTINGS, scrape.task(), null);
  }

  @AfterEach
  void close() throws Exception {
    try (MetricsScrape last = scrape;
        FakeEngines second = fake;
        Bench first = bench) {
      assertThat(List.of(last, second, first)).doesNotContainNull();
    }
  }

  @Test
  void tellsTheFateOfEachFrame() throws Exception {
    Camera camera = new Camera("a");
    offer(camera, 4);
    bench.offer(camera.repeat()); // duplicate
    bench.offer(camera.bad(new byte[] {1, 2, 3}, FrameEncoding.JPEG)); // found by the engine
    bench.offer(camera.raw(new byte[] {1, 2, 3})); // no record at all
    bench.offer(camera.frame(7, -1)); // no such time
    offer(camera, 3);
    bench.offer(camera.end());
    bench.settle();

    assertThat(scrape.value("framesReceived", "")).isEqualTo(11);
    assertThat(scrape.value("fate_frames", "fate=USED")).isEqualTo(7);
    assertThat(scrape.value("fate_frames", "fate=DUPLICATE")).isEqualTo(1);
    assertThat(scrape.value("fate_frames", "fate=SURPLUS")).isZero();
    assertThat(scrape.value("fate_frames", "fate=DEAD")).isEqualTo(3);
    assertThat(scrape.value("reason_deadLetters", "reason=WRONG_MAGIC")).isEqualTo(1);
    assertThat(scrape.value("reason_deadLetters", "reason=UNDECODABLE")).isEqualTo(1);
    assertThat(scrape.value("reason_deadLetters", "reason=OUT_OF_RANGE")).isEqualTo(1);
    assertThat(scrape.value("reason_deadLetters", "reason=OTHER")).isZero();
    assertThat(bench.deadLetters()).hasSize(3);
  }

  @Test
  void countsWhatWasMadeOfChunks() throws Exception {
    Camera camera = new Camera("a");
    offer(camera, 8);
    camera.rest(3);
    offer(camera, 2);
    bench.settle();
    bench.snapshot();
    bench.awaitSnapshots(1);
    bench.offer(camera.end());
    bench.settle();

    double comments = scrape.value("kind_events", "kind=COMMENT");
    assertThat(comments + scrape.value("kind_events", "kind=SILENCE")).isEqualTo(5);
    assertThat(comments).isPositive();
    assertThat(scrape.value("kind_events", "kind=GAP")).isEqualTo(1);
    assertThat(scrape.value("kind_events", "kind=ENDED")).isEqualTo(1);
    assertThat(scrape.value("rounds", "")).isEqualTo(5);
    assertThat(scrape.value("tokens", "")).isGreaterThan(5);
    assertThat(scrape.value("promptRows", "")).isGreaterThan(5);
    assertThat(scrape.value("logBytes", "")).isGreaterThanOrEqualTo(10 * 28 * 28 * 3);
    assertThat(scrape.value("snapshots", "")).isEqualTo(1);
    assertThat(scrape.value("snapshotBytes", "")).isPositive();
    assertThat(scrape.value("lagMillis_count", "")).isEqualTo(5);
    assertThat(scrape.value("timeToFirstTokenMillis_count", "")).isEqualTo(5);
    assertThat(scrape.value("stage_stageMicros_count", "stage=PREFILL")).isEqualTo(5);
    assertThat(scrape.value("rows_streamRows_count", "rows=VISION")).isEqualTo(5);
    assertThat(scrape.value("streamPosition_count", "")).isEqualTo(5);
    assertThat(scrape.value("streamPosition", "")).isPositive();
    assertThat(scrape.value("streams", "")).isZero();
    assertThat(scrape.value("inFlight", "")).isZero();
  }

  @Test
  void showsWhatIsUnderWay() throws Exception {
    fake.hold();
    offer(new Camera("a"), 4);
    offer(new Camera("b"), 2);

    assertThat(scrape.value("streams", "")).isEqualTo(2);
    assertThat(scrape.value("inFlight", "")).isEqualTo(3);
    assertThat(scrape.value("running", "")).isEqualTo(2);
    assertThat(scrape.value("engineRowsLimit", "")).isEqualTo(200_000);
    fake.letAllGo();
    bench.settle();
    assertThat(scrape.value("inFlight", "")).isZero();
    assertThat(scrape.value("engineRowsUsed", "")).isPositive();
    assertThat(scrape.value("engineSteps", "")).isPositive();
    assertThat(scrape.value("engineDeviceLaunches", "")).as("on the CPU").isZero();
  }

  @Test
  void hasAsManySeriesForManyStreamsAsForNone() throws Exception {
    List<String> before = series();
    for (int i = 0; i < 20; i++) {
      offer(new Camera("camera-" + i, i), 4);
    }
    bench.settle();

    assertThat(series()).isEqualTo(before).hasSizeBetween(100, 200);
  }

  private List<String> series() throws Exception {
    return scrape.samples().stream().map(s -> s.name() + s.labels()).sorted().toList();
  }

  @Test
  void countsWhatARestoreDoes() throws Exception {
    Camera camera = new Camera("a");
    offer(camera, 8);
    bench.settle();
    OperatorSubtaskState state = bench.snapshot();
    try (FakeEngines others = FakeEngines.start("a", "c");
        MetricsScrape own = new MetricsScrape();
        Bench restored = new Bench(others.engine(), SETTINGS, own.task(), state)) {
      restored.offer(camera.frame());
      restored.offer(camera.frame());
      restored.settle();

      assertThat(own.value("roundsReplayed", "")).isEqualTo(4);
      assertThat(own.value("rounds", "")).isEqualTo(1);
      assertThat(own.value("mark_markedEvents", "mark=NUMERICS_CHANGED")).isEqualTo(1);
      assertThat(own.value("mark_markedEvents", "mark=REBUILT")).isZero();
    }
  }

  @Test
  void countsRoundsOfSeveralChunks() throws Exception {
    UnderstandSettings merging =
        SETTINGS.with(new Overload(OverloadMode.MERGE, Duration.ofSeconds(1), 8));
    try (MetricsScrape own = new MetricsScrape();
        Bench behind = new Bench(fake.engine(), merging, own.task(), null)) {
      fake.hold();
      behind.harness.setProcessingTime(Camera.START_MICROS / 1000 + 60_000);
      behind.offerSeconds(5, new Camera("a")); // 0, then 1 to 3 together, then 4
      fake.letAllGo();
      behind.settle();

      assertThat(own.value("roundsMerged", "")).isEqualTo(1);
      assertThat(own.value("chunksMerged", "")).isEqualTo(3);
      assertThat(own.value("rounds", "")).isEqualTo(3);
      assertThat(own.value("lagMillis_count", "")).isEqualTo(5);
      assertThat(own.value("fate_frames", "fate=USED")).isEqualTo(10);
    }
  }

  @Test
  void countsAReasonOfAnotherReleaseToo() throws Exception {
    try (MetricsScrape own = new MetricsScrape()) {
      OperatorMetrics metrics =
          new OperatorMetrics(own.task().getMetricGroup().getOrAddOperator("understand"));
      metrics.deadLetter("NEVER_HEARD_OF");
      assertThat(own.value("reason_deadLetters", "reason=OTHER")).isEqualTo(1);
    }
  }

  @Test
  void isDescribedMetricByMetric() throws Exception {
    Set<String> described =
        Files.readAllLines(Path.of("..", "docs", "metrics.md")).stream()
            .map(ROW::matcher)
            .filter(Matcher::matches)
            .map(row -> row.group(1) + " " + row.group(2) + " " + row.group(4))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> registered = new TreeSet<>();
    for (Sample sample : scrape.samples()) {
      String label = sample.labels().keySet().stream().findFirst().orElse("null");
      String name = sample.name();
      String own = name.startsWith(label + "_") ? name.substring(label.length() + 1) : name;
      if (own.endsWith("_count")) { // a histogram's
        own = own.substring(0, own.length() - "_count".length());
      }
      MetricType type = scrape.type(own);
      registered.add(own + " " + type.name().toLowerCase(Locale.ROOT) + " " + label);
    }

    assertThat(described).isEqualTo(registered);
  }

  @ParameterizedTest
  @ValueSource(strings = {"prometheus/alerts.yml", "grafana/everwatch.json"})
  void isAskedForByTheNamesThatItHas(String file) throws Exception {
    Set<String> asked = asked(Path.of("..", "deploy").resolve(file));

    assertThat(asked).hasSizeGreaterThan(3);
    assertThat(scrape.names()).containsAll(asked);
  }

  private static Set<String> asked(Path file) throws IOException {
    return Pattern.compile(MetricsScrape.PREFIX + "\\w+")
        .matcher(Files.readString(file))
        .results()
        .map(hit -> hit.group())
        .collect(Collectors.toSet());
  }

  private void offer(Camera camera, int frames) throws Exception {
    for (int i = 0; i < frames; i++) {
      bench.offer(camera.frame());
    }
  }
}
