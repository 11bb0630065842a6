// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.operators.flink.StreamKey;
import io.everwatch.operators.flink.StreamListOperator;
import io.everwatch.operators.flink.StreamSummary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.flink.api.common.functions.RichFlatMapFunction;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.flink.core.io.SimpleVersionedSerialization;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.CloseableIterator;
import org.apache.flink.util.Collector;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What lies in a checkpoint or savepoint of the job.
 *
 * @param streams by stream ID
 * @param frames offset of the frames topic that is read next, by partition
 * @param commands the same of the commands topic
 */
public record CheckpointContents(
    List<StreamSummary> streams,
    Map<TopicPartition, Long> frames,
    Map<TopicPartition, Long> commands) {
  public CheckpointContents {
    streams = List.copyOf(streams);
    frames = Map.copyOf(frames);
    commands = Map.copyOf(commands);
  }

  /**
   * Reads it with a small job on a cluster inside this process, whose operators take the place of
   * those that wrote it: any state back end and file system that Flink knows will do. Changes
   * nothing.
   *
   * @param config of the job that wrote it
   * @param temporary directory of its own, removed by the caller afterwards
   * @throws Exception when the state cannot be restored
   */
  public static CheckpointContents read(
      EverwatchConfig config, CheckpointLocation checkpoint, Path temporary) throws Exception {
    StreamExecutionEnvironment environment = RestoredJob.environment(config, checkpoint, temporary);
    DataStream<StreamSummary> streams =
        environment
            .fromData(List.of(StreamKey.of("")), StreamKey.TYPE)
            .keyBy(key -> key, StreamKey.TYPE)
            .transform("list", StreamSummary.TYPE, new StreamListOperator())
            .uid(EverwatchTopology.UNDERSTAND);
    CloseableIterator<Tuple3<String, Integer, Long>> frames =
        offsets(environment, EverwatchTopology.FRAMES).collectAsync();
    CloseableIterator<Tuple3<String, Integer, Long>> commands =
        offsets(environment, EverwatchTopology.COMMANDS).collectAsync();
    try (CloseableIterator<StreamSummary> found = streams.collectAsync()) {
      try (RestoredJob job = RestoredJob.start(environment, "list a checkpoint")) {
        List<StreamSummary> all = new ArrayList<>();
        found.forEachRemaining(all::add);
        all.sort(Comparator.comparing(stream -> stream.key().streamId()));
        CheckpointContents contents =
            new CheckpointContents(all, byPartition(frames), byPartition(commands));
        job.await();
        return contents;
      }
    }
  }

  private static DataStream<Tuple3<String, Integer, Long>> offsets(
      StreamExecutionEnvironment environment, String source) {
    return environment
        .fromData(List.of(source), Types.STRING)
        .flatMap(new Offsets())
        .returns(Offsets.TYPE)
        .uid(source);
  }

  private static Map<TopicPartition, Long> byPartition(
      CloseableIterator<Tuple3<String, Integer, Long>> offsets) {
    Map<TopicPartition, Long> found = new HashMap<>();
    offsets.forEachRemaining(one -> found.put(new TopicPartition(one.f0, one.f1), one.f2));
    return found;
  }

  /** The stream of this name. */
  public Optional<StreamSummary> stream(String streamId) {
    return streams.stream().filter(one -> one.key().streamId().equals(streamId)).findFirst();
  }

  /** Takes the place of a Kafka source over a checkpoint and says where its reader stood. */
  private static final class Offsets
      extends RichFlatMapFunction<String, Tuple3<String, Integer, Long>>
      implements CheckpointedFunction {
    private static final long serialVersionUID = 1;
    private static final TypeInformation<Tuple3<String, Integer, Long>> TYPE =
        Types.TUPLE(Types.STRING, Types.INT, Types.LONG);

    /** As Flink's source operator names and writes the state of any reader. */
    private static final String STATE = "SourceReaderState";

    private transient @Nullable ListState<byte[]> splits;

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
      splits =
          context
              .getOperatorStateStore()
              .getListState(
                  new ListStateDescriptor<>(STATE, BytePrimitiveArraySerializer.INSTANCE));
    }

    @Override
    public void flatMap(String source, Collector<Tuple3<String, Integer, Long>> out)
        throws Exception {
      KafkaPartitionSplitSerializer serializer = new KafkaPartitionSplitSerializer();
      for (byte[] stored : Objects.requireNonNull(splits).get()) {
        KafkaPartitionSplit split =
            SimpleVersionedSerialization.readVersionAndDeSerialize(serializer, stored);
        out.collect(Tuple3.of(split.getTopic(), split.getPartition(), split.getStartingOffset()));
      }
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) {}
  }
}
