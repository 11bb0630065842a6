// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.topology.Checkpoints;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jobs on one session cluster of processes: they come, move and go, and what they say is what one
 * job says that nothing happens to. In order, because the first two look at a single TaskManager
 * and the last one replaces every process; each has topics of its own.
 */
@TestMethodOrder(OrderAnnotation.class)
class ClusterJobsITCase {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @TempDir private static Path shared;
  private static Cluster cluster;

  @TempDir private Path dir;

  /** A failure tells what the processes said. */
  @RegisterExtension
  final TestExecutionExceptionHandler logs =
      (context, failure) -> {
        failure.addSuppressed(new AssertionError(cluster.logs()));
        throw failure;
      };

  @BeforeAll
  static void start() throws Exception {
    cluster =
        Cluster.at(shared.resolve("cluster"))
            // Only then is growth of the process growth outside the heap; soft references are no
            // leak, but look like one.
            .taskManagerFlags("-XX:+AlwaysPreTouch", "-XX:SoftRefLRUPolicyMSPerMB=0")
            .start();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  @Test
  @Order(1)
  void aJobThatIsSubmittedAgainAndAgainGoesOnAndLeavesNothingBehind() throws Exception {
    TopicNames topics = topics("again");
    JvmRemains taskManager = new JvmRemains(cluster.taskManagers().get(0));
    List<JvmRemains.Left> left = new ArrayList<>();
    try (Cameras cameras = new Cameras(cluster.clientProperties(), topics.frames(), 3, 5, 1);
        CommittedText text = new CommittedText(cluster.clientProperties(), topics.text())) {
      Optional<String> last = Optional.empty();
      for (int i = 0; i < 4; i++) {
        String[] arguments = of(topics, "parallelism", "2");
        String job =
            i == 0 ? cluster.jobs().flinkRun(arguments) : cluster.jobs().submit(last, arguments);
        text.awaitEvents(text.size() + 6, LIMIT);
        if (i == 3) {
          cameras.end();
          text.awaitEnded(3, LIMIT);
        }
        cluster.jobs().cancel(job);
        last = newest(topics);
        left.add(taskManager.afterJobs());
      }
      assertThat(text.bytes()).isEqualTo(uninterrupted(topics, 3));
    }
    JvmRemains.assertSteady(left);
  }

  @Test
  @Order(2)
  void twoJobsAtOnceShareTheEngineAndSayTheSame() throws Exception {
    TopicNames one = topics("one");
    TopicNames other = new TopicNames(one.frames(), "other.text", "other.dlq", one.commands());
    cluster.createTopics(other, 4);
    JvmRemains taskManager = new JvmRemains(cluster.taskManagers().get(0));
    String first = cluster.jobs().submit(of(one, "parallelism", "1"));
    String second = cluster.jobs().submit(of(other, "parallelism", "1"));
    try (Cameras cameras = new Cameras(cluster.clientProperties(), one.frames(), 2, 21, 1);
        CommittedText ofFirst = new CommittedText(cluster.clientProperties(), one.text());
        CommittedText ofSecond = new CommittedText(cluster.clientProperties(), other.text())) {
      ofFirst.awaitEvents(4, LIMIT);
      assertThat(taskManager.engines())
          .as("engines of two jobs with the same options")
          .isEqualTo(1);
      cameras.end();
      ofFirst.awaitEnded(2, LIMIT);
      cluster.jobs().cancel(first);
      ofSecond.awaitEnded(2, LIMIT);
      assertThat(taskManager.engines()).as("engines when one of two jobs has left").isEqualTo(1);
      cluster.jobs().cancel(second);
      assertThat(ofSecond.bytes()).isEqualTo(ofFirst.bytes());
    }
    cluster.await("the end of the engine, as all jobs have left", () -> taskManager.engines() == 0);
  }

  @Test
  @Order(3)
  void rescalesUnderLoadWithoutAnotherWord() throws Exception {
    TopicNames topics = topics("rescaled");
    cluster.addTaskManager();
    cluster.awaitTaskManagers(2);
    String job = cluster.jobs().submit(of(topics, "parallelism", "1"));
    try (Cameras cameras = new Cameras(cluster.clientProperties(), topics.frames(), 6, 11, 1);
        CommittedText text = new CommittedText(cluster.clientProperties(), topics.text())) {
      text.awaitEvents(6, LIMIT);
      keepsItsStateAsWeWantIt();
      for (int parallelism : new int[] {4, 2, 3}) {
        cluster.jobs().rescale(job, parallelism);
        text.awaitEvents(text.size() + 12, LIMIT);
      }
      cameras.end();
      text.awaitEnded(6, LIMIT);
      cluster.jobs().cancel(job);
      assertThat(text.bytes()).isEqualTo(uninterrupted(topics, 6));
      assertSpokenWithoutGap(text);
    }
  }

  @Test
  @Order(4)
  void goesOnAfterAnUpgradeFromItsSavepointAtAnotherParallelism() throws Exception {
    TopicNames topics = topics("upgraded");
    String job = cluster.jobs().submit(of(topics, "parallelism", "1"));
    try (Cameras cameras = new Cameras(cluster.clientProperties(), topics.frames(), 3, 31, 1);
        CommittedText text = new CommittedText(cluster.clientProperties(), topics.text())) {
      text.awaitEvents(6, LIMIT);
      String savepoint = cluster.jobs().stopWithSavepoint(job);
      cluster.upgrade(NextVersion.ofRuntime(shared), NextVersion.ofJob(shared));
      String upgraded =
          cluster.jobs().submit(Optional.of(savepoint), of(topics, "parallelism", "3"));
      text.awaitEvents(text.size() + 6, LIMIT);
      cameras.end();
      text.awaitEnded(3, LIMIT);
      cluster.jobs().cancel(upgraded);
      assertThat(text.bytes()).isEqualTo(uninterrupted(topics, 3));
      assertSpokenWithoutGap(text);
    }
  }

  private Map<String, List<String>> uninterrupted(TopicNames topics, int streams) throws Exception {
    return Uninterrupted.text(cluster, topics, streams, dir.resolve("whole"), LIMIT);
  }

  private static void assertSpokenWithoutGap(CommittedText text) throws Exception {
    for (List<TextEvent> events : text.events().values()) {
      assertThat(events)
          .extracting(TextEvent::getKind)
          .containsOnlyOnce(TextKind.ENDED)
          .doesNotContain(TextKind.GAP, TextKind.ERROR);
    }
  }

  /** The options of the job reach RocksDB on a TaskManager; asked is RocksDB. */
  private static void keepsItsStateAsWeWantIt() throws Exception {
    List<List<String>> seen = new ArrayList<>();
    Await.until(
        "RocksDB at work",
        LIMIT,
        () -> {
          seen.add(RocksDbFiles.ofStates(cluster.directory()));
          return !seen.get(seen.size() - 1).isEmpty();
        },
        () -> "no options file below " + cluster.directory());
    assertThat(seen.get(seen.size() - 1))
        .allSatisfy(
            options ->
                assertThat(options)
                    .contains("compaction_style=kCompactionStyleUniversal")
                    .contains("compression=kNoCompression")
                    .contains("min_merge_width=8"));
  }

  private static TopicNames topics(String name) {
    TopicNames topics =
        new TopicNames(name + ".frames", name + ".text", name + ".dlq", name + ".commands");
    cluster.createTopics(topics, 4);
    return topics;
  }

  private static Optional<String> newest(TopicNames topics) {
    return Checkpoints.newest(cluster.checkpoints().resolve(topics.text()).toString())
        .map(path -> Checkpoints.uri(path.toString()));
  }

  /** A job on these topics, in a group named after its text. */
  private static String[] of(TopicNames topics, String... more) {
    String[] own = {
      "topics.frames", topics.frames(),
      "topics.text", topics.text(),
      "topics.dlq", topics.deadLetters(),
      "topics.commands", topics.commands(),
      "group", topics.text()
    };
    return Stream.of(own, more).flatMap(Stream::of).toArray(String[]::new);
  }
}
