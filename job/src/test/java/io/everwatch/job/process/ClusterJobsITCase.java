// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.TopicNames;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs on one session cluster of processes: what comes and goes, and what must not change. */
class ClusterJobsITCase {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  @TempDir private static Path shared;
  private static Cluster cluster;

  @TempDir private Path dir;

  @BeforeAll
  static void start() throws Exception {
    cluster = Cluster.at(shared.resolve("cluster")).taskManagers(2).start();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  @Test
  void rescalesUnderLoadWithoutAnotherWord() throws Exception {
    TopicNames topics = topics("rescaled");
    String job = cluster.jobs().submit(of(topics, "parallelism", "1"));
    try (Cameras cameras = new Cameras(cluster.clientProperties(), topics.frames(), 6, 11, 1);
        CommittedText text = new CommittedText(cluster.clientProperties(), topics.text())) {
      text.awaitEvents(6, LIMIT);
      for (int parallelism : new int[] {4, 2, 3}) {
        cluster.jobs().rescale(job, parallelism);
        text.awaitEvents(text.size() + 12, LIMIT);
      }
      cameras.end();
      Map<String, ?> said = text.awaitEnded(6, LIMIT).bytes();
      cluster.jobs().cancel(job);
      assertThat(said)
          .isEqualTo(Uninterrupted.text(cluster, topics, 6, dir.resolve("whole"), LIMIT));
    }
  }

  private static TopicNames topics(String name) {
    TopicNames topics =
        new TopicNames(name + ".frames", name + ".text", name + ".dlq", name + ".commands");
    cluster.createTopics(topics, 4);
    return topics;
  }

  private static String[] of(TopicNames topics, String... more) {
    String[] own = {
      "topics.frames", topics.frames(),
      "topics.text", topics.text(),
      "topics.dlq", topics.deadLetters(),
      "topics.commands", topics.commands(),
      "group", topics.text()
    };
    return java.util.stream.Stream.of(own, more)
        .flatMap(java.util.stream.Stream::of)
        .toArray(String[]::new);
  }
}
