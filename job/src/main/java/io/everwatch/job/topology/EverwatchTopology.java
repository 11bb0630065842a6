// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.ConfigKey;
import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.Delivery;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.spread.SpreadSource;
import io.everwatch.operators.flink.CommandRecordReader;
import io.everwatch.operators.flink.CommittedText;
import io.everwatch.operators.flink.DeadLetterRecord;
import io.everwatch.operators.flink.DeadLetters;
import io.everwatch.operators.flink.EngineProvider;
import io.everwatch.operators.flink.FrameRecord;
import io.everwatch.operators.flink.FrameRecordReader;
import io.everwatch.operators.flink.SpreadRegistry;
import io.everwatch.operators.flink.StateRules;
import io.everwatch.operators.flink.StreamKey;
import io.everwatch.operators.flink.TextRecord;
import io.everwatch.operators.flink.UnderstandOperatorFactory;
import io.everwatch.operators.flink.UnderstandSettings;
import io.everwatch.schemas.WireFormat;
import java.time.Duration;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.LocalStreamEnvironment;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * frames and commands → understand (keyed by stream) → text, and what could not be used → dead
 * letters. One input carries both, so that the operator sees a stream's records in one order. Every
 * step has a fixed {@code uid}: state is found again by it, so it never changes.
 */
public final class EverwatchTopology {
  static final String FRAMES = "frames";
  static final String COMMANDS = "commands";
  static final String UNDERSTAND = "understand";
  static final String TEXT = "text";
  static final String DEAD_LETTERS = "dead-letters";

  /** Room for what Kafka puts around a record when the record itself has the largest size. */
  private static final int REQUEST_MARGIN = 1 << 20;

  /** Brokers look for transactions that have timed out every ten seconds. */
  private static final Duration BROKER_LOOKS = Duration.ofSeconds(30);

  private EverwatchTopology() {}

  /** Adds the topology to an environment that {@link FlinkSettings} configured. */
  public static void build(StreamExecutionEnvironment environment, EverwatchConfig config) {
    SpreadRegistry spreads = SpreadSource.registry(config);
    DataStream<FrameRecord> commands =
        environment
            .fromSource(commands(config, spreads), WatermarkStrategy.noWatermarks(), COMMANDS)
            .uid(COMMANDS)
            // A few a day: one reader is enough.
            .setParallelism(1);
    SingleOutputStreamOperator<TextRecord> text =
        environment
            .fromSource(frames(config, spreads), WatermarkStrategy.noWatermarks(), FRAMES)
            .uid(FRAMES)
            .union(commands)
            .keyBy(FrameRecord::key, StreamKey.TYPE)
            .transform(
                UNDERSTAND,
                TextRecord.TYPE,
                new UnderstandOperatorFactory(
                    engines(environment, config),
                    settings(config),
                    spreads,
                    config.get(ConfigKeys.DELIVERY) == Delivery.EXACTLY_ONCE
                        ? committedText(config)
                        : null))
            .uid(UNDERSTAND);
    text.sinkTo(textSink(config)).name(TEXT).uid(TEXT);
    text.getSideOutput(DeadLetters.TAG)
        .sinkTo(deadLetterSink(config))
        .name(DEAD_LETTERS)
        .uid(DEAD_LETTERS)
        // Rare: one writer is enough, and one connection less per subtask.
        .setParallelism(1);
  }

  /**
   * On a cluster the TaskManager says which GPU; Flink's MiniCluster, in this process, has none.
   */
  private static EngineProvider engines(
      StreamExecutionEnvironment environment, EverwatchConfig config) {
    return environment instanceof LocalStreamEnvironment
        ? EngineProvider.shared(config.engineOptions())
        : EngineProvider.ofTaskManager(config.engineOptions());
  }

  static UnderstandSettings settings(EverwatchConfig config) {
    UnderstandSettings defaults = UnderstandSettings.DEFAULT;
    return new UnderstandSettings(
        new UnderstandSettings.Limits(
            config.get(ConfigKeys.MAX_IN_FLIGHT),
            config.get(ConfigKeys.MAX_IN_FLIGHT_BYTES),
            config.get(ConfigKeys.MAX_PARKED_BYTES),
            config.get(ConfigKeys.MAX_STREAMS)),
        new UnderstandSettings.Overload(
            config.get(ConfigKeys.OVERLOAD),
            config.get(ConfigKeys.MAX_LAG),
            config.get(ConfigKeys.MERGE_CHUNKS)),
        config.get(ConfigKeys.DRAIN_TIMEOUT),
        config.get(ConfigKeys.SNAPSHOT_INTERVAL),
        defaults.maxTextBytes(),
        config.get(ConfigKeys.STALE_AFTER),
        config.get(ConfigKeys.FORGET_AFTER),
        new StateRules(
            config.get(ConfigKeys.STRICT_NUMERICS),
            config.get(ConfigKeys.OTHER_MODEL),
            config.get(ConfigKeys.HASHMAP_STATE)));
  }

  private static WatchedSource frames(EverwatchConfig config, SpreadRegistry spreads) {
    int maxBytes = Math.toIntExact(config.get(ConfigKeys.MAX_RECORD));
    Properties properties = kafka(config);
    // Soft limits: a larger record still arrives, alone.
    properties.putIfAbsent("fetch.max.bytes", "16777216");
    properties.putIfAbsent("max.partition.fetch.bytes", "8388608");
    return WatchedSource.of(
        source(config, ConfigKeys.FRAMES).setProperties(properties),
        new RecordSchema(new FrameRecordReader(maxBytes, spreads)));
  }

  private static WatchedSource commands(EverwatchConfig config, SpreadRegistry spreads) {
    return WatchedSource.of(
        source(config, ConfigKeys.COMMANDS).setProperties(kafka(config)),
        new RecordSchema(new CommandRecordReader(spreads)));
  }

  private static KafkaSourceBuilder<FrameRecord> source(
      EverwatchConfig config, ConfigKey<String> topic) {
    return KafkaSource.<FrameRecord>builder()
        .setTopics(config.get(topic))
        .setGroupId(config.get(ConfigKeys.GROUP))
        .setStartingOffsets(StartOffsets.of(config.get(ConfigKeys.START)));
  }

  private static CommittedText committedText(EverwatchConfig config) {
    return new KafkaCommittedText(
        config.kafkaProperties(),
        config.get(ConfigKeys.TEXT),
        config.transactionTimeout().plus(BROKER_LOOKS));
  }

  private static Sink<TextRecord> textSink(EverwatchConfig config) {
    KafkaSinkBuilder<TextRecord> sink =
        KafkaSink.<TextRecord>builder()
            .setKafkaProducerConfig(producer(config))
            .setBootstrapServers(config.get(ConfigKeys.BROKERS))
            .setRecordSerializer(new TextRecordSchema(config.get(ConfigKeys.TEXT)));
    if (config.get(ConfigKeys.DELIVERY) == Delivery.AT_LEAST_ONCE) {
      return sink.setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE).build();
    }
    return new TransactionalTextSink(
        sink.setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionalIdPrefix(config.transactionalIdPrefix())
            // Leaves few transaction ids on the broker; the way back is not supported, so from day
            // one.
            .setTransactionNamingStrategy(TransactionNamingStrategy.POOLING)
            .setProperty(
                "transaction.timeout.ms", Long.toString(config.transactionTimeout().toMillis()))
            .build(),
        config.kafkaProperties());
  }

  /** At least once: a repeated dead letter names the same record and harms nobody. */
  private static KafkaSink<DeadLetterRecord> deadLetterSink(EverwatchConfig config) {
    return KafkaSink.<DeadLetterRecord>builder()
        .setKafkaProducerConfig(producer(config))
        .setBootstrapServers(config.get(ConfigKeys.BROKERS))
        .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .setRecordSerializer(new DeadLetterSchema(config.get(ConfigKeys.DEAD_LETTERS)))
        .build();
  }

  private static Properties producer(EverwatchConfig config) {
    Properties properties = kafka(config);
    properties.putIfAbsent(
        "max.request.size", Integer.toString(WireFormat.MAX_RECORD_BYTES + REQUEST_MARGIN));
    return properties;
  }

  private static Properties kafka(EverwatchConfig config) {
    Properties properties = new Properties();
    properties.putAll(config.kafkaProperties());
    return properties;
  }
}
