// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.TopicNames;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three TaskManagers share a job; the device of one is lost, that of another hangs. Both end with
 * their exit codes, and the third goes on with all streams as if nothing had happened.
 */
class DeviceLossOnClusterITCase {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int STREAMS = 6;

  @TempDir private Path dir;

  @Test
  void aLostAndAHungDeviceEndTheirTaskManagersAndTheTextGoesOn() throws Exception {
    ClusterBuilder builder =
        Cluster.at(dir.resolve("cluster"))
            .slots(1)
            .taskManagerClasses(
                BackendService.folder(dir, FaultyBackendProvider.class), BackendService.CLASSES)
            .taskManagersIn(List.of(fault("lost@12"), fault("hung@40"), fault("none@0")));
    try (Cluster cluster = builder.start();
        Cameras cameras =
            new Cameras(
                cluster.clientProperties(), TopicNames.defaults().frames(), STREAMS, 51, 1);
        CommittedText text =
            new CommittedText(cluster.clientProperties(), TopicNames.defaults().text())) {
      String job =
          cluster
              .jobs()
              .submit(
                  "device",
                  FaultyBackendProvider.NAME,
                  "parallelism",
                  "3",
                  "engine.step-timeout",
                  "3 s");
      endsWith(cluster, 0, 70);
      endsWith(cluster, 1, 71);
      text.awaitEvents(text.size() + 2 * STREAMS, LIMIT);
      cameras.end();
      text.awaitEnded(STREAMS, LIMIT);
      cluster.jobs().cancel(job);

      assertThat(text.bytes())
          .isEqualTo(
              Uninterrupted.text(
                  cluster, TopicNames.defaults(), STREAMS, dir.resolve("whole"), LIMIT));
    }
  }

  private static Map<String, String> fault(String fault) {
    return Map.of(FaultyBackendProvider.FAULT, fault);
  }

  private static void endsWith(Cluster cluster, int taskManager, int code) throws Exception {
    JvmProcess process = cluster.taskManagers().get(taskManager);
    cluster.await("the end of " + process.name(), () -> !process.isAlive());
    assertThat(process.exitValue()).as(process.tail(20)).isEqualTo(code);
    assertThat(process.tail(60)).contains("the process ends with exit code " + code);
  }
}
