// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.kernels.cuda.EnabledOnEmulation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three TaskManagers share a job; the device of one is lost, that of another hangs. Both end with
 * their exit codes, and the third goes on with all streams as if nothing had happened.
 */
class DeviceLossOnClusterITCase {
  private static final Duration LIMIT = Duration.ofMinutes(3);

  /** With fewer one of three subtasks has none, and its device is never asked for anything. */
  private static final int STREAMS = 8;

  /** Folder of the stand-in driver of GPUs. */
  private static final String EMULATION = "everwatch.cuda.emulation";

  /** Its settings in the environment. */
  private static final String CUEMU = "CUEMU";

  @TempDir private Path dir;

  @Test
  void aLostAndAHungDeviceEndTheirTaskManagersAndTheTextGoesOn() throws Exception {
    ClusterBuilder cluster =
        Cluster.at(dir.resolve("cluster"))
            .slots(1)
            .taskManagerClasses(
                BackendService.folder(dir, FaultyBackendProvider.class), BackendService.CLASSES)
            .taskManagersIn(
                List.of(
                    Map.of(FaultyBackendProvider.FAULT, "lost@12"),
                    Map.of(FaultyBackendProvider.FAULT, "hung@40"),
                    Map.of()));

    losesTwoOfThree(
        cluster,
        "illegal address, says the test",
        Map.of("device", FaultyBackendProvider.NAME, "engine.step-timeout", "3 s"),
        Map.of("device", "cpu"),
        /* speed= */ 1);
  }

  /** Each step chooses its tokens in one launch, so launches of that kernel count steps. */
  @Test
  @EnabledOnEmulation
  void aLostAndAHungGpuEndTheirTaskManagersAndTheTextGoesOn() throws Exception {
    ClusterBuilder cluster =
        Cluster.at(dir.resolve("cluster"))
            .slots(1)
            .taskManagerFlags("-D%s=%s".formatted(EMULATION, System.getProperty(EMULATION)))
            .gpus("0", "0", "0")
            .taskManagersIn(
                List.of(
                    Map.of(CUEMU, "fail=launch:sampling_choose:12:214"),
                    Map.of(CUEMU, "hang=sampling_choose:40"),
                    Map.of()));

    // A second of the shipped model's video takes a core about as long: small pictures, half speed.
    Map<String, String> gpu =
        Map.of(
            "device",
            "cuda",
            "model",
            "random:qwen2.5-vl-tiny",
            "streaming.min_pixels",
            "3136",
            "streaming.max_pixels",
            "3136",
            "streaming.max_new_tokens",
            "4",
            "engine.kv-memory",
            "16 MiB",
            "engine.step-timeout",
            "8 s");
    losesTwoOfThree(cluster, "CUDA_ERROR_ECC_UNCORRECTABLE", gpu, gpu, /* speed= */ 0.5);
  }

  /**
   * @param loss what the first TaskManager says of its device
   * @param settings of the job
   * @param sound the same on a device of the same numbers that nothing happens to
   */
  private void losesTwoOfThree(
      ClusterBuilder builder,
      String loss,
      Map<String, String> settings,
      Map<String, String> sound,
      double speed)
      throws Exception {
    TopicNames topics = TopicNames.defaults();
    try (Cluster cluster = builder.start();
        Cameras cameras =
            new Cameras(
                cluster.clientProperties(), topics.frames(), STREAMS, /* seed= */ 51, speed);
        CommittedText text = new CommittedText(cluster.clientProperties(), topics.text())) {
      Map<String, String> all = new HashMap<>(settings);
      all.put("parallelism", "3");
      String job = cluster.jobs().submit(words(all));
      endsWith(cluster, 0, 70, loss);
      endsWith(cluster, 1, 71, "engine.step-timeout");
      text.awaitEvents(text.size() + 2 * STREAMS, LIMIT);
      cameras.end();
      text.awaitEnded(STREAMS, LIMIT);
      cluster.jobs().cancel(job);

      assertThat(text.bytes())
          .isEqualTo(
              Uninterrupted.text(
                  cluster, topics, STREAMS, dir.resolve("whole"), LIMIT, words(sound)));
    }
  }

  private static String[] words(Map<String, String> settings) {
    return settings.entrySet().stream()
        .flatMap(entry -> Stream.of(entry.getKey(), entry.getValue()))
        .toArray(String[]::new);
  }

  private static void endsWith(Cluster cluster, int taskManager, int code, String reason)
      throws Exception {
    JvmProcess process = cluster.taskManagers().get(taskManager);
    cluster.await("the end of " + process.name(), () -> !process.isAlive());
    assertThat(process.exitValue()).as(process.tail(20)).isEqualTo(code);
    assertThat(Files.readAllLines(process.log()))
        .filteredOn(line -> line.contains("the process ends with exit code"))
        .singleElement()
        .asString()
        .contains("exit code " + code)
        .contains(reason);
  }
}
