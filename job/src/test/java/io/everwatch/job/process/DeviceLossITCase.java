// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.camera.FramePublisher;
import io.everwatch.job.camera.LimitedSource;
import io.everwatch.job.camera.Pace;
import io.everwatch.job.camera.RoadSceneSource;
import io.everwatch.job.scene.RoadScene;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code everwatch run} on a device that is lost, then on one that hangs, then with a full heap:
 * each run ends with its exit code, and the next goes on as if nothing had happened.
 */
class DeviceLossITCase {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final int SECONDS = 8;
  private static final long START_MICROS = 1_767_225_600_000_000L;
  private static final String ENDS = "the process ends with exit code";

  @TempDir private Path dir;
  private EmbeddedBroker broker;

  @BeforeEach
  void open() throws Exception {
    broker = EmbeddedBroker.start(dir.resolve("kafka"));
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void endsWithItsExitCodeAndTheNextRunGoesOn() throws Exception {
    createTopics("troubled");
    createTopics("whole");
    publish();

    String lost = runToItsEnd("lost@12", 70);
    assertThat(lost).contains("illegal address, says the test").containsOnlyOnce(ENDS + " 70");
    String hung = runToItsEnd("hung@12", 71);
    assertThat(hung).contains("engine.step-timeout").containsOnlyOnce(ENDS + " 71");
    String full = runToItsEnd("heap@12", 255);
    assertThat(full).contains("Java heap space, says the test").doesNotContain(ENDS);
    assertThat(lost.lines().filter(line -> line.contains(ENDS)))
        .singleElement()
        .satisfies(line -> assertThat(new JsonMapper().readTree(line).size()).isPositive());

    Map<String, List<String>> troubled = runToTheEndOfTheStream("troubled");
    assertThat(troubled.get("north")).hasSize(SECONDS + 1);
    assertThat(troubled).isEqualTo(runToTheEndOfTheStream("whole"));
  }

  private void createTopics(String name) {
    Topics.create(
        broker.clientProperties(),
        new TopicNames("frames", name + ".text", name + ".dlq", name + ".commands"),
        TopicLimits.of(1));
  }

  private void publish() throws Exception {
    try (FramePublisher publisher = new FramePublisher(broker.clientProperties(), "frames");
        LimitedSource road =
            new LimitedSource(
                new RoadSceneSource(RoadScene.ofSeed(3)), Duration.ofSeconds(SECONDS))) {
      publisher.publish("north", road, START_MICROS, Pace.fast());
    }
  }

  /** What it wrote; it must end by itself, with this code. */
  private String runToItsEnd(String fault, int code) throws Exception {
    try (JvmProcess run = process("troubled", fault)) {
      run.start();
      Await.until("the end of a run with " + fault, LIMIT, () -> !run.isAlive(), () -> tail(run));
      String said = Files.readString(run.log());
      assertThat(run.exitValue()).as(said).isEqualTo(code);
      return said;
    }
  }

  private Map<String, List<String>> runToTheEndOfTheStream(String name) throws Exception {
    try (JvmProcess run = process(name, "none@0");
        CommittedText text = new CommittedText(broker.clientProperties(), name + ".text")) {
      run.start();
      return text.awaitEnded(1, LIMIT).bytes();
    }
  }

  private JvmProcess process(String name, String fault) throws IOException {
    List<String> line = new ArrayList<>();
    line.addAll(
        List.of(
            "-Xmx400m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.bytedeco.javacpp.cachedir=" + Path.of("target/javacpp-it").toAbsolutePath(),
            "-cp",
            "%s:%s:%s"
                .formatted(
                    BackendService.folder(dir, FaultyBackendProvider.class),
                    BackendService.CLASSES,
                    jar()),
            "io.everwatch.job.cli.Everwatch",
            "run",
            "--log-json"));
    Map.of(
            "brokers",
            broker.address(),
            "device",
            FaultyBackendProvider.NAME,
            "topics.frames",
            "frames",
            "topics.text",
            name + ".text",
            "topics.dlq",
            name + ".dlq",
            "topics.commands",
            name + ".commands",
            "group",
            name,
            "checkpoint.dir",
            dir.resolve(name + "-checkpoints").toString(),
            "checkpoint.interval",
            "300 ms",
            "recovery.max-outage",
            "1 min")
        .forEach((key, value) -> line.addAll(List.of("--" + key, value)));
    line.addAll(List.of("--threads", "1", "--parallelism", "1", "--engine.step-timeout", "3s"));
    return new JvmProcess(
        name + "-" + fault.replace('@', '-'),
        dir,
        () -> line,
        Map.of(FaultyBackendProvider.FAULT, fault));
  }

  private static String jar() {
    return FlinkHome.ALL.toString();
  }

  private static String tail(JvmProcess run) {
    return run.tail(40);
  }
}
