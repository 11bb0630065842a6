// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.Delivery;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.operators.flink.DeadLetters;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** Whether the topics are there, may be used, and take what the job writes. */
final class TopicChecks {
  /** The largest text event: 64 KiB of words, the ids of 256 commands, and what is around them. */
  private static final long LARGEST_TEXT = 256 << 10;

  private final Admin admin;
  private final EverwatchConfig config;
  private final Findings findings;
  private final String frames;
  private final String text;
  private final String letters;
  private final String commands;

  TopicChecks(Admin admin, EverwatchConfig config, Findings findings) {
    this.admin = admin;
    this.config = config;
    this.findings = findings;
    frames = config.get(ConfigKeys.FRAMES);
    text = config.get(ConfigKeys.TEXT);
    letters = config.get(ConfigKeys.DEAD_LETTERS);
    commands = config.get(ConfigKeys.COMMANDS);
  }

  void look() {
    Map<String, TopicDescription> topics = describe(needed());
    TopicDescription source = topics.get(frames);
    if (source != null && source.partitions().size() < config.get(ConfigKeys.PARALLELISM)) {
      findings.warning(
          ("topic %s has %d partition(s), parallelism is %d: the other readers have nothing to read;"
                  + " add partitions before the first camera, or lower parallelism")
              .formatted(frames, source.partitions().size(), config.get(ConfigKeys.PARALLELISM)));
    }
    Map<String, Config> settings = settings(topics.keySet());
    topics.forEach(
        (topic, description) -> {
          Config own = settings.get(topic);
          if (own != null) {
            compaction(topic, own);
            replicas(topic, own, description);
          }
        });
    largest(settings.get(text), text, LARGEST_TEXT);
    largest(settings.get(letters), letters, DeadLetters.MAX_RECORD_BYTES);
    retention(settings.get(frames));
  }

  /** What the job does with each topic. */
  private Map<String, Set<AclOperation>> needed() {
    Map<String, Set<AclOperation>> needed = new LinkedHashMap<>();
    needed.put(frames, EnumSet.of(AclOperation.READ));
    // With transactions, it asks who has one open on the topic; Kafka counts that as reading.
    needed.put(
        text,
        config.get(ConfigKeys.DELIVERY) == Delivery.EXACTLY_ONCE
            ? EnumSet.of(AclOperation.READ, AclOperation.WRITE)
            : EnumSet.of(AclOperation.WRITE));
    needed.put(letters, EnumSet.of(AclOperation.WRITE));
    needed.put(commands, EnumSet.of(AclOperation.READ));
    return needed;
  }

  /** The topics that can be looked at; of the others there is a problem. */
  private Map<String, TopicDescription> describe(Map<String, Set<AclOperation>> needed) {
    Map<String, TopicDescription> found = new LinkedHashMap<>();
    Set<String> missing = new TreeSet<>();
    Map<String, KafkaFuture<TopicDescription>> answers =
        admin
            .describeTopics(
                needed.keySet(), new DescribeTopicsOptions().includeAuthorizedOperations(true))
            .topicNameValues();
    answers.forEach(
        (topic, answer) -> {
          try {
            TopicDescription description = Preflight.answer(answer);
            found.put(topic, description);
            rights(topic, needed.getOrDefault(topic, Set.of()), description.authorizedOperations());
          } catch (UnknownTopicOrPartitionException e) {
            missing.add(topic);
          } catch (AuthorizationException e) {
            denied("topic " + topic, "--topic " + topic, needed.getOrDefault(topic, Set.of()));
          }
        });
    if (!missing.isEmpty()) {
      findings.problem(
          "no topic %s at %s; create it with: everwatch topics --brokers %s"
              .formatted(
                  String.join(", ", missing),
                  config.get(ConfigKeys.BROKERS),
                  config.get(ConfigKeys.BROKERS)));
    }
    return found;
  }

  private void rights(String topic, Set<AclOperation> needed, Set<AclOperation> given) {
    Set<AclOperation> denied = EnumSet.copyOf(needed);
    denied.removeAll(given);
    if (!denied.isEmpty()) {
      denied("topic " + topic, "--topic " + topic, denied);
    }
  }

  private void denied(String what, String resource, Set<AclOperation> operations) {
    findings.problem(Rights.denied(what, resource, operations));
  }

  private Map<String, Config> settings(Collection<String> topics) {
    List<ConfigResource> resources = new ArrayList<>();
    topics.forEach(topic -> resources.add(new ConfigResource(ConfigResource.Type.TOPIC, topic)));
    try {
      return Preflight.answer(admin.describeConfigs(resources).all()).entrySet().stream()
          .collect(Collectors.toMap(entry -> entry.getKey().name(), Map.Entry::getValue));
    } catch (KafkaException e) {
      findings.warning(
          ("the settings of the topics could not be looked at (%s), so that limits and retention were"
                  + " not checked; grant DescribeConfigs on them, or compare them with deploy/README.md")
              .formatted(String.valueOf(e.getMessage())));
      return Map.of();
    }
  }

  private void compaction(String topic, Config settings) {
    if (value(settings, "cleanup.policy").contains("compact")) {
      findings.problem(
          ("topic %s is compacted (cleanup.policy), which keeps one record per stream; expected"
                  + " cleanup.policy=delete; change it")
              .formatted(topic));
    }
  }

  /** A write is acknowledged by {@code min.insync.replicas} copies, or never. */
  private void replicas(String topic, Config settings, TopicDescription description) {
    long wanted = number(settings, "min.insync.replicas");
    long copies =
        description.partitions().stream()
            .mapToLong(partition -> partition.replicas().size())
            .min()
            .orElse(wanted);
    long inSync =
        description.partitions().stream()
            .mapToLong(partition -> partition.isr().size())
            .min()
            .orElse(wanted);
    if (copies < wanted) {
      findings.problem(
          ("topic %s has %d copies of each partition, but min.insync.replicas is %d, so that nothing can"
                  + " be written; lower that, or add copies")
              .formatted(topic, copies, wanted));
    } else if (inSync < wanted) {
      findings.warning(
          ("topic %s has a partition with %d copies in sync, min.insync.replicas is %d: writes wait until"
                  + " a broker is back")
              .formatted(topic, inSync, wanted));
    }
  }

  /** What a topic refuses stops the job, and once more after each restart. */
  private void largest(@Nullable Config settings, String topic, long needed) {
    if (settings == null) {
      return;
    }
    long limit = number(settings, "max.message.bytes");
    if (limit < needed) {
      findings.problem(
          ("topic %s takes records of at most %d bytes (max.message.bytes), the job writes up to %d; raise"
                  + " it")
              .formatted(topic, limit, needed));
    }
    String own = config.kafkaProperties().get("max.request.size");
    if (own != null && own.matches("\\d{1,18}") && Long.parseLong(own) < needed) {
      findings.problem(
          ("kafka.max.request.size is %s, but what the job writes to topic %s has up to %d bytes; raise it"
                  + " or leave it out")
              .formatted(own, topic, needed));
    }
  }

  private void retention(@Nullable Config settings) {
    if (settings == null) {
      return;
    }
    long retention = number(settings, "retention.ms");
    long outage = config.get(ConfigKeys.MAX_OUTAGE).toMillis();
    if (retention < 0 && number(settings, "retention.bytes") < 0) {
      findings.warning(
          ("topic %s keeps its frames for ever (retention.ms -1); expected a bound, or its disk fills; an"
                  + " hour is what everwatch topics sets")
              .formatted(frames));
    } else if (retention >= 0 && retention < outage) {
      findings.warning(
          ("topic %s keeps frames for %d s, less than recovery.max-outage (%d s): what a longer outage"
                  + " leaves behind becomes a gap; raise its retention.ms")
              .formatted(frames, retention / 1000, outage / 1000));
    }
    if (!value(settings, "message.timestamp.type").equals("LogAppendTime")) {
      findings.warning(
          ("topic %s is stamped by its writers' clocks; expected message.timestamp.type=LogAppendTime, for"
                  + " retention and lag go by it")
              .formatted(frames));
    }
  }

  private static String value(Config settings, String name) {
    return settings.get(name) == null ? "" : String.valueOf(settings.get(name).value());
  }

  private static long number(Config settings, String name) {
    return Long.parseLong(value(settings, name));
  }
}
