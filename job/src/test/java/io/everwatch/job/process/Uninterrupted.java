// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.topology.LocalJob;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a job says that nothing happens to: the records of a topic of frames, which is read from its
 * beginning, through one job inside this JVM, onto a text topic of its own.
 */
public final class Uninterrupted {
  private Uninterrupted() {}

  /**
   * Runs until the streams have ended.
   *
   * @param topics of the job to compare with; frames and commands are read
   * @param streams how many there are
   * @param dir for what the job keeps meanwhile
   * @return record values by stream, as {@link CommittedText#bytes}
   */
  public static Map<String, List<String>> text(
      Cluster cluster, TopicNames topics, int streams, Path dir, Duration limit) throws Exception {
    return text(cluster, topics, streams, dir, limit, "cpu");
  }

  /** The same on another device. */
  static Map<String, List<String>> text(
      Cluster cluster, TopicNames topics, int streams, Path dir, Duration limit, String device)
      throws Exception {
    String name = topics.text() + ".uninterrupted";
    TopicNames own = new TopicNames(topics.frames(), name, name + ".dlq", topics.commands());
    Topics.create(cluster.clientProperties(), own, TopicLimits.of(4));
    EverwatchConfig config =
        EverwatchConfig.of(
            "brokers",
            cluster.brokers(),
            "topics.frames",
            own.frames(),
            "topics.commands",
            own.commands(),
            "topics.text",
            own.text(),
            "topics.dlq",
            own.deadLetters(),
            "group",
            name,
            "start",
            "earliest",
            "checkpoint.interval",
            "1 s",
            "checkpoint.dir",
            dir.resolve("checkpoints").toString(),
            "recovery.max-outage",
            "5 min",
            "engine.kv-memory",
            "64 MiB",
            "threads",
            "2",
            "device",
            device);
    try (LocalJob job = LocalJob.start(config, dir.resolve("flink"), 0, Optional.empty());
        CommittedText text = new CommittedText(cluster.clientProperties(), own.text())) {
      return text.awaitEnded(streams, limit).bytes();
    }
  }
}
