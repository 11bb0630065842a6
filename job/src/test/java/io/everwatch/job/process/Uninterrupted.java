// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.topology.LocalJob;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

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
   * @param keysAndValues of the job's configuration, beside and instead of its own
   * @return record values by stream, as {@link CommittedText#bytes}
   */
  public static Map<String, List<String>> text(
      Cluster cluster,
      TopicNames topics,
      int streams,
      Path dir,
      Duration limit,
      String... keysAndValues)
      throws Exception {
    String name = topics.text() + ".uninterrupted";
    TopicNames own = new TopicNames(topics.frames(), name, name + ".dlq", topics.commands());
    Topics.create(cluster.clientProperties(), own, TopicLimits.of(4));
    Map<String, String> all = new LinkedHashMap<>();
    all.put("brokers", cluster.brokers());
    all.put("topics.frames", own.frames());
    all.put("topics.commands", own.commands());
    all.put("topics.text", own.text());
    all.put("topics.dlq", own.deadLetters());
    all.put("group", name);
    all.put("start", "earliest");
    all.put("checkpoint.interval", "1 s");
    all.put("checkpoint.dir", dir.resolve("checkpoints").toString());
    all.put("recovery.max-outage", "5 min");
    all.put("engine.kv-memory", "64 MiB");
    all.put("threads", "2");
    for (int i = 0; i < keysAndValues.length; i += 2) {
      all.put(keysAndValues[i], keysAndValues[i + 1]);
    }
    EverwatchConfig config =
        EverwatchConfig.of(
            all.entrySet().stream()
                .flatMap(entry -> Stream.of(entry.getKey(), entry.getValue()))
                .toArray(String[]::new));
    try (LocalJob job = LocalJob.start(config, dir.resolve("flink"), 0, Optional.empty());
        CommittedText text = new CommittedText(cluster.clientProperties(), own.text())) {
      return text.awaitEnded(streams, limit).bytes();
    }
  }
}
