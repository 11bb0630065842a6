// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.TextEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The shipped model in the operator, on the road camera: its words, also when it is stopped. */
@Timeout(300)
class RoadStopAndGoTest {
  private static final Path ROAD = Path.of("src/test/golden/road");
  private static final int SECONDS = 30;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static Engine engine;
  private static List<String> uninterrupted;

  @BeforeAll
  static void answerWithoutAStop() throws Exception {
    engine =
        Engines.open(
            EngineOptions.builder("everwatch-tiny")
                .threads(2)
                .overrides(
                    Map.of(
                        "textWindow", "192", "instruction", " Watch the road and count the buses."))
                .build());
    uninterrupted = run(settings(3_600_000), List.of());
  }

  @AfterAll
  static void closeEngine() {
    engine.close();
  }

  @Test
  void saysTheSentencesOfTheReference() throws Exception {
    List<String> lines = Files.readAllLines(ROAD.resolve("reference.jsonl"));
    for (int second = 0; second < SECONDS; second++) {
      byte[] value = HexFormat.of().parseHex(uninterrupted.get(second));
      TextEvent event = WireFormat.decodeText(value);
      assertThat(event.getText())
          .as("second %d", second)
          .isEqualTo(MAPPER.readTree(lines.get(second + 1)).get("said").asText());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 3_600_000})
  void givesTheSameBytesWhenStoppedInTheMiddleOfAChunkAndOfARound(long snapshotInterval)
      throws Exception {
    assertThat(run(settings(snapshotInterval), List.of(7, 22, 43))).isEqualTo(uninterrupted);
  }

  private static UnderstandSettings settings(long snapshotIntervalMillis) {
    return new UnderstandSettings(
        8, Duration.ZERO, Duration.ofMillis(snapshotIntervalMillis), 1 << 16);
  }

  /** Values of the events, in hex. */
  private static List<String> run(UnderstandSettings settings, List<Integer> stops)
      throws Exception {
    List<String> values = new ArrayList<>();
    OperatorSubtaskState state = null;
    int from = 0;
    for (int stop : stops) {
      try (Bench bench = new Bench(engine, settings, state)) {
        feed(bench, from, stop);
        bench.snapshot(); // with interval 0 the memory is written from here on
        if (settings.snapshotInterval().isZero() && !bench.records().isEmpty()) {
          bench.awaitSnapshots(1);
        }
        state = bench.snapshot();
        collect(bench, values);
        feed(bench, stop, stop + 3); // answered and forgotten, as by a crash
      }
      from = stop;
    }
    try (Bench bench = new Bench(engine, settings, state)) {
      feed(bench, from, 2 * SECONDS);
      bench.settle();
      collect(bench, values);
    }
    return values;
  }

  private static void feed(Bench bench, int from, int to) throws Exception {
    for (int i = from; i < to; i++) {
      bench.offer(frame(i));
      if (i % 4 != 2) { // at some stops a round is running
        bench.runMails();
      }
    }
  }

  private static void collect(Bench bench, List<String> values) {
    for (TextRecord record : bench.records()) {
      values.add(HexFormat.of().formatHex(record.value()));
    }
  }

  private static FrameRecord frame(int number) throws IOException {
    byte[] picture = Files.readAllBytes(ROAD.resolve("frames/%06d.png".formatted(number)));
    byte[] value =
        WireFormat.encode(
            FrameEvent.newBuilder()
                .setStreamId("road")
                .setSequence(number)
                .setCaptureMicros(Camera.START_MICROS + number * 500_000L)
                .setEncoding(FrameEncoding.PNG)
                .setBytes(ByteBuffer.wrap(picture))
                .build());
    return new FrameRecordReader()
        .read(new Origin("frames", 0, number, "road".getBytes(StandardCharsets.UTF_8)), value, 0);
  }
}
