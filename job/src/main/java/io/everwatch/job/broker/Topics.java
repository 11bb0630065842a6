// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;

/** Creates the four topics with their limits, and says what is there already. */
public final class Topics {
  private static final Duration WAIT = Duration.ofSeconds(30);

  private Topics() {}

  /**
   * One topic after {@link #create}.
   *
   * @param created false when it was there before
   * @param warning what of an existing topic does not fit; empty when all does
   */
  public record Outcome(String topic, boolean created, int partitions, String warning) {}

  /**
   * Creates what is missing; an existing topic is left as it is.
   *
   * @param client properties of a Kafka client
   * @throws UnreachableBrokerException when no broker answers
   * @throws KafkaException when a topic cannot be created; the message names it
   */
  public static List<Outcome> create(
      Map<String, Object> client, TopicNames names, TopicLimits limits) {
    List<NewTopic> wanted = wanted(names, limits);
    List<Outcome> outcomes = new ArrayList<>();
    try (Admin admin = Admin.create(client)) {
      Map<String, KafkaFuture<Void>> creating = admin.createTopics(wanted).values();
      for (NewTopic topic : wanted) {
        KafkaFuture<Void> future = creating.get(topic.name());
        outcomes.add(
            future != null && created(future, topic, client)
                ? new Outcome(topic.name(), true, topic.numPartitions(), "")
                : existing(admin, topic, client));
      }
    }
    return outcomes;
  }

  /** Records in a topic now: the sum of its end offsets less what retention has removed. */
  public static long records(Map<String, Object> client, String topic) {
    try (Admin admin = Admin.create(client)) {
      TopicDescription description =
          await(admin.describeTopics(List.of(topic)).allTopicNames(), client).get(topic);
      Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
      Map<TopicPartition, OffsetSpec> starts = new HashMap<>();
      if (description != null) {
        description.partitions().stream()
            .map(partition -> new TopicPartition(topic, partition.partition()))
            .forEach(
                partition -> {
                  ends.put(partition, OffsetSpec.latest());
                  starts.put(partition, OffsetSpec.earliest());
                });
      }
      return sum(admin, ends, client) - sum(admin, starts, client);
    }
  }

  private static long sum(
      Admin admin, Map<TopicPartition, OffsetSpec> offsets, Map<String, Object> client) {
    return await(admin.listOffsets(offsets).all(), client).values().stream()
        .mapToLong(ListOffsetsResult.ListOffsetsResultInfo::offset)
        .sum();
  }

  private static List<NewTopic> wanted(TopicNames names, TopicLimits limits) {
    String frameBytes = Integer.toString(limits.maxFrameBytes());
    String letterBytes =
        Integer.toString(Math.addExact(limits.maxFrameBytes(), TopicLimits.DEAD_LETTER_MARGIN));
    String frameTime = Long.toString(limits.frameRetention().toMillis());
    String textTime = Long.toString(limits.textRetention().toMillis());
    int partitions = limits.partitions();
    return List.of(
        topic(names.frames(), partitions, limits)
            .configs(
                Map.of(
                    "max.message.bytes",
                    frameBytes,
                    "retention.ms",
                    frameTime,
                    // A camera's clock may be wrong; retention and lag go by the broker's.
                    "message.timestamp.type",
                    "LogAppendTime",
                    // Pictures are compressed already.
                    "compression.type",
                    "producer")),
        topic(names.text(), partitions, limits).configs(Map.of("retention.ms", textTime)),
        topic(names.deadLetters(), 1, limits)
            .configs(Map.of("max.message.bytes", letterBytes, "retention.ms", textTime)),
        topic(names.commands(), 1, limits).configs(Map.of("retention.ms", textTime)));
  }

  private static NewTopic topic(String name, int partitions, TopicLimits limits) {
    return new NewTopic(name, partitions, limits.replication());
  }

  private static boolean created(
      KafkaFuture<Void> future, NewTopic topic, Map<String, Object> client) {
    try {
      await(future, client);
      return true;
    } catch (TopicExistsException e) {
      return false;
    } catch (KafkaException e) {
      throw new KafkaException(
          "topic %s with %d partition(s) and %d copies could not be created: %s"
              .formatted(
                  topic.name(), topic.numPartitions(), topic.replicationFactor(), e.getMessage()),
          e);
    }
  }

  /** What a topic that was there before lacks. */
  private static Outcome existing(Admin admin, NewTopic topic, Map<String, Object> client) {
    TopicDescription description =
        await(admin.describeTopics(List.of(topic.name())).allTopicNames(), client)
            .get(topic.name());
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
    Config config = await(admin.describeConfigs(List.of(resource)).all(), client).get(resource);
    String wanted = topic.configs().get("max.message.bytes");
    String warning = "";
    if (wanted != null && config != null) {
      long limit = Long.parseLong(config.get("max.message.bytes").value());
      if (limit < Long.parseLong(wanted)) {
        warning =
            "takes records of at most %d bytes, expected %s; raise its max.message.bytes"
                .formatted(limit, wanted);
      }
    }
    int partitions = description == null ? 0 : description.partitions().size();
    return new Outcome(topic.name(), false, partitions, warning);
  }

  private static <T> T await(KafkaFuture<T> future, Map<String, Object> client) {
    try {
      return future.get(WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof org.apache.kafka.common.errors.TimeoutException) {
        throw Brokers.unreachable(client, WAIT, e);
      }
      if (e.getCause() instanceof KafkaException cause) {
        throw cause;
      }
      throw new KafkaException(e.getCause());
    } catch (TimeoutException e) {
      throw Brokers.unreachable(client, WAIT, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted while Kafka worked on topics", e);
    }
  }
}
