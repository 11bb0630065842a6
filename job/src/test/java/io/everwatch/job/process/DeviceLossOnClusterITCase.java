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
  private static final Duration LIMIT = Duration.ofMinutes(3);

  /** With fewer one of three subtasks has none, and its device is never asked for anything. */
  private static final int STREAMS = 8;

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

    losesTwoOfThree(cluster, FaultyBackendProvider.NAME, "cpu", "3 s", STREAMS, 1);
  }

  private void losesTwoOfThree(
      ClusterBuilder builder,
      String device,
      String sound,
      String stepTimeout,
      int streams,
      double speed)
      throws Exception {
    TopicNames topics = TopicNames.defaults();
    try (Cluster cluster = builder.start();
        Cameras cameras =
            new Cameras(
                cluster.clientProperties(), topics.frames(), streams, /* seed= */ 51, speed);
        CommittedText text = new CommittedText(cluster.clientProperties(), topics.text())) {
      String job =
          cluster
              .jobs()
              .submit("device", device, "parallelism", "3", "engine.step-timeout", stepTimeout);
      endsWith(cluster, 0, 70);
      endsWith(cluster, 1, 71);
      text.awaitEvents(text.size() + 2 * streams, LIMIT);
      cameras.end();
      text.awaitEnded(streams, LIMIT);
      cluster.jobs().cancel(job);

      assertThat(text.bytes())
          .isEqualTo(
              Uninterrupted.text(cluster, topics, streams, dir.resolve("whole"), LIMIT, sound));
    }
  }

  private static void endsWith(Cluster cluster, int taskManager, int code) throws Exception {
    JvmProcess process = cluster.taskManagers().get(taskManager);
    cluster.await("the end of " + process.name(), () -> !process.isAlive());
    assertThat(process.exitValue()).as(process.tail(20)).isEqualTo(code);
    assertThat(process.tail(60)).contains("the process ends with exit code " + code);
  }
}
