// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.cli.Everwatch;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.avro.FrameEvent;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many of 64 streams each subtask of a real job works on; docs/benchmarks/spread.md. */
@Timeout(180)
class SpreadITCase {
  private static final int STREAMS = 64;
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  @TempDir private static Path dir;
  private static House house;
  private static Path registry;

  /** With it a stream has a whole chunk, and text. */
  private static FrameEvent second;

  @BeforeAll
  static void sendAFrameOfEachStream() throws Exception {
    house = new House(dir);
    registry = dir.resolve("spread.csv");
    try (RoadFrames road = new RoadFrames("", 7, Encoding.JPEG)) {
      FrameEvent.Builder frame = road.next();
      for (int i = 0; i < STREAMS; i++) {
        house.send(i % 2, frame.setStreamId("camera-" + i).build());
      }
      second = road.next().setStreamId("camera-0").build();
    }
    assertThat(
            run(
                "spread",
                "--registry",
                registry.toString(),
                "--from-topic",
                "--brokers",
                house.address()))
        .contains("64 streams, 64 of them new");
  }

  @AfterAll
  static void close() {
    house.close();
  }

  @ParameterizedTest(name = "{0} subtasks, registry: {1}: {2} to {3} streams each")
  @CsvSource({"8, true, 8, 8", "5, true, 12, 13", "8, false, 4, 12", "5, false, 9, 19"})
  void theRegistryGivesAnEvenLoad(int parallelism, boolean registered, int least, int most)
      throws Exception {
    EverwatchConfig config =
        house.config(
            "parallelism",
            Integer.toString(parallelism),
            "group",
            "spread-" + parallelism + registered,
            "delivery",
            "at-least-once",
            "spread.registry",
            registered ? registry.toString() : "");

    Collection<Integer> load = load(config);

    assertThat(load).hasSize(parallelism);
    assertThat(load.stream().mapToInt(n -> n).min()).as("load " + load).hasValue(least);
    assertThat(load.stream().mapToInt(n -> n).max()).as("load " + load).hasValue(most);
  }

  @Test
  void aJobWhoseRegistryContradictsItsStateEndsAndSaysWhatToDo() throws Exception {
    try (LocalJob job = house.start(house.config(), Optional.empty())) {
      house.send(0, second);
      house.committedUntil(texts -> !texts.isEmpty()); // by a checkpoint that has streams
    }
    Optional<Path> checkpoint = Checkpoints.newest(house.checkpoints());
    assertThat(checkpoint).isPresent();
    EverwatchConfig config = house.config("spread.registry", registry.toString());

    try (LocalJob job = house.start(config, checkpoint)) {
      assertThatThrownBy(() -> job.ended().get(DEADLINE.toSeconds(), TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasStackTraceContaining("the spread registry contradicts the state of")
          .hasStackTraceContaining("has state under spread")
          .hasStackTraceContaining("remove its line, or end the stream before");
    }
  }

  private static Collection<Integer> load(EverwatchConfig config) throws Exception {
    Configuration flink =
        FlinkSettings.ofLocalCluster(config, Files.createTempDirectory(dir, "flink"), 0);
    StreamsPerSubtask.addTo(flink);
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(flink);
    EverwatchTopology.build(environment, config);
    var job = environment.executeAsync("spread");
    try {
      Instant deadline = Instant.now().plus(DEADLINE);
      while (StreamsPerSubtask.load().values().stream().mapToInt(n -> n).sum() < STREAMS) {
        assertThat(Instant.now())
            .as("after %s: %s, job %s", DEADLINE, StreamsPerSubtask.load(), job.getJobStatus())
            .isBefore(deadline);
        TimeUnit.MILLISECONDS.sleep(50);
      }
      return List.copyOf(StreamsPerSubtask.load().values());
    } finally {
      job.cancel().get(30, TimeUnit.SECONDS);
    }
  }

  private static String run(String... arguments) {
    StringWriter out = new StringWriter();
    Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(out))
        .execute(arguments);
    return out.toString();
  }
}
