// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.operators.flink.EngineProvider;
import io.everwatch.operators.flink.FrameRecord;
import io.everwatch.operators.flink.FrameRecordReader;
import io.everwatch.operators.flink.Origin;
import io.everwatch.operators.flink.RecordedDecisions;
import io.everwatch.operators.flink.SpreadRegistry;
import io.everwatch.operators.flink.StreamKey;
import io.everwatch.operators.flink.TextRecord;
import io.everwatch.operators.flink.UnderstandOperatorFactory;
import java.io.Serializable;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.CloseableIterator;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Runs an interval of one stream again: the job's own operator over a checkpoint, fed with the
 * stream's records in the order that was recorded. Writes to no topic, commits no offset, makes no
 * checkpoint.
 */
public final class ReplayJob {
  /**
   * What is fed.
   *
   * @param partition of the frames topic
   * @param firstOffset the first record that the checkpoint had not read
   * @param endOffset behind the last one that is there
   * @param forgottenAfter offset of the last frame of a stream that was forgotten behind it
   * @param commands in the order of their answers
   */
  public record Input(
      RecordedDecisions decisions,
      TopicPartition partition,
      long firstOffset,
      long endOffset,
      Optional<Long> forgottenAfter,
      List<RecordedCommand> commands) {}

  /**
   * A command as it lies on its topic, and its place among the stream's frames.
   *
   * @param afterOffset of the newest frame record that the stream had taken before; -1: of none
   */
  public record RecordedCommand(
      long afterOffset, Origin origin, byte @Nullable [] value, long timestampMillis)
      implements Serializable {}

  private ReplayJob() {}

  /**
   * Runs until the taker has had enough or the frames are at their end.
   *
   * @param temporary directory of its own, removed by the caller afterwards
   * @param taker of each text in order; false: it needs no more
   * @throws Exception when the state cannot be restored, or the run fails
   */
  public static void run(
      EverwatchConfig config,
      CheckpointLocation checkpoint,
      Input input,
      Path temporary,
      Predicate<TextRecord> taker)
      throws Exception {
    StreamExecutionEnvironment environment = RestoredJob.environment(config, checkpoint, temporary);
    var text =
        environment
            .fromSource(source(config, input), WatermarkStrategy.noWatermarks(), "frames again")
            .transform("recorded order", FrameRecord.TYPE, new RecordedOrder(input))
            .keyBy(FrameRecord::key, StreamKey.TYPE)
            .transform(
                EverwatchTopology.UNDERSTAND,
                TextRecord.TYPE,
                UnderstandOperatorFactory.replaying(
                    EngineProvider.shared(config.engineOptions()),
                    // Silence is not run again: nothing is told of it, and nothing ends by it.
                    EverwatchTopology.settings(config).withSilence(Duration.ZERO, Duration.ZERO),
                    input.decisions()))
            .uid(EverwatchTopology.UNDERSTAND);
    try (CloseableIterator<TextRecord> texts = text.collectAsync();
        RestoredJob job = RestoredJob.start(environment, "replay")) {
      boolean more = true;
      while (more && texts.hasNext()) {
        more = taker.test(texts.next());
      }
    }
  }

  @SuppressWarnings("deprecation") // OffsetResetStrategy: the connector takes no other type
  private static KafkaSource<FrameRecord> source(EverwatchConfig config, Input input) {
    Properties properties = new Properties();
    properties.putAll(config.kafkaProperties());
    properties.setProperty("commit.offsets.on.checkpoint", "false");
    return KafkaSource.<FrameRecord>builder()
        .setProperties(properties)
        .setPartitions(Set.of(input.partition()))
        .setStartingOffsets(
            // What retention removes meanwhile must not be passed over.
            OffsetsInitializer.offsets(
                Map.of(input.partition(), input.firstOffset()), OffsetResetStrategy.NONE))
        .setBounded(OffsetsInitializer.offsets(Map.of(input.partition(), input.endOffset())))
        .setDeserializer(
            new RecordSchema(
                new FrameRecordReader(
                    Math.toIntExact(config.get(ConfigKeys.MAX_RECORD)), SpreadRegistry.NONE)))
        .build();
  }
}
