// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.topology.Checkpoints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which GPU a TaskManager's task slots are given, from processes with GPUs on paper. */
class TaskManagerGpusITCase {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @TempDir private Path dir;

  private ClusterBuilder cluster(String... gpus) throws IOException {
    return Cluster.at(dir.resolve("cluster"))
        .taskManagerClasses(
            BackendService.folder(dir, PaperGpuProvider.class), BackendService.CLASSES)
        .gpus(gpus);
  }

  @Test
  void eachTaskManagerOpensOneEngineOnItsOwnGpuForAllItsTaskSlots() throws Exception {
    try (Cluster cluster = cluster("3", "5").start();
        Cameras cameras = cameras(cluster);
        CommittedText text = text(cluster)) {
      String job = cluster.jobs().submit("device", "cuda", "parallelism", "4");
      text.awaitEvents(8, LIMIT);
      cameras.end();
      text.awaitEnded(4, LIMIT);
      cluster.jobs().cancel(job);

      assertThat(cluster.taskManagers())
          .extracting(TaskManagerGpusITCase::opened)
          .containsExactly(List.of("3"), List.of("5"));
    }
  }

  /** Its rows go, its weights stay: loading them again would cost its streams half a minute. */
  @Test
  void aJobThatIsSubmittedAgainAndAgainFindsTheWeightsAndNothingElseOfTheOneBefore()
      throws Exception {
    try (Cluster cluster = cluster("2").start();
        Cameras cameras = cameras(cluster);
        CommittedText text = text(cluster)) {
      JvmProcess taskManager = cluster.taskManagers().get(0);
      JvmRemains remains = new JvmRemains(taskManager);
      Optional<String> last = Optional.empty();
      for (int i = 0; i < 4; i++) {
        String job = cluster.jobs().submit(last, "device", "cuda", "parallelism", "2");
        text.awaitEvents(text.size() + 4, LIMIT);
        assertThat(remains.engines()).as("engines of two task slots").isEqualTo(1);
        if (i == 3) {
          cameras.end();
          text.awaitEnded(4, LIMIT);
        }
        cluster.jobs().cancel(job);
        last =
            Checkpoints.newest(cluster.checkpoints().resolve("everwatch").toString())
                .map(path -> Checkpoints.uri(path.toString()));
        remains.awaitNoEngine();
        assertThat(remains.models()).as("models at rest after job %d", i + 1).isEqualTo(1);
      }

      assertThat(opened(taskManager)).containsExactly("2");
      assertThat(text.bytes())
          .isEqualTo(
              Uninterrupted.text(cluster, TopicNames.defaults(), 4, dir.resolve("whole"), LIMIT));
    }
  }

  @Test
  void withoutAGpuAJobForOneIsRefusedAndOneThatTakesWhatThereIsRuns() throws Exception {
    try (Cluster cluster = cluster("one").start();
        Cameras cameras = cameras(cluster);
        CommittedText text = text(cluster)) {
      String refused = cluster.jobs().submitToFail("device", "cuda", "parallelism", "1");
      assertThat(refused)
          .contains("the job's device is cuda, but the TaskManager of subtask 0 lists no GPU")
          .contains("the first lines of its log say why discovery failed");
      assertThat(Files.readString(cluster.taskManagers().get(0).log()))
          .contains("EVERWATCH_GPUS is 'one'; expected indexes of GPUs");

      String job = cluster.jobs().submit("device", "auto", "parallelism", "1");
      text.awaitEvents(4, LIMIT);
      cameras.end();
      cluster.jobs().cancel(job);

      assertThat(opened(cluster.taskManagers().get(0))).isEmpty();
    }
  }

  private static Cameras cameras(Cluster cluster) {
    return new Cameras(
        cluster.clientProperties(), TopicNames.defaults().frames(), 4, /* seed= */ 41, 1);
  }

  private static CommittedText text(Cluster cluster) {
    return new CommittedText(cluster.clientProperties(), TopicNames.defaults().text());
  }

  /** Indexes of the GPUs that were opened, one for each engine. */
  private static List<String> opened(JvmProcess taskManager) {
    try {
      return Files.readAllLines(taskManager.log()).stream()
          .filter(line -> line.contains(PaperGpuProvider.OPENED))
          .map(line -> line.substring(line.indexOf(PaperGpuProvider.OPENED)))
          .map(line -> line.substring(PaperGpuProvider.OPENED.length()).strip())
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
