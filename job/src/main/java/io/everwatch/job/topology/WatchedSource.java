// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.operators.flink.FrameRecord;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * A {@link KafkaSource} that tells which records were gone before it read them. All else, its state
 * included, is that of the source itself. A reader learns from its splits where it begins, so that
 * a job that was away for longer than the topic keeps records is told of too.
 */
final class WatchedSource
    implements Source<FrameRecord, KafkaPartitionSplit, KafkaSourceEnumState>,
        ResultTypeQueryable<FrameRecord> {
  private static final long serialVersionUID = 1;

  private final KafkaSource<FrameRecord> source;

  /** The same as the one in the source's deserializer: they travel in one piece. */
  private final OffsetWatch watch;

  private WatchedSource(KafkaSource<FrameRecord> source, OffsetWatch watch) {
    this.source = source;
    this.watch = watch;
  }

  /** All is set but the deserializer. */
  static WatchedSource of(
      KafkaSourceBuilder<FrameRecord> builder,
      KafkaRecordDeserializationSchema<FrameRecord> deserializer) {
    OffsetWatch watch = new OffsetWatch();
    return new WatchedSource(
        builder.setDeserializer(new Watching(deserializer, watch)).build(), watch);
  }

  private record Watching(KafkaRecordDeserializationSchema<FrameRecord> schema, OffsetWatch watch)
      implements KafkaRecordDeserializationSchema<FrameRecord> {
    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<FrameRecord> out)
        throws java.io.IOException {
      watch.got(new TopicPartition(record.topic(), record.partition()), record.offset());
      schema.deserialize(record, out);
    }

    @Override
    public TypeInformation<FrameRecord> getProducedType() {
      return schema.getProducedType();
    }
  }

  @Override
  public SourceReader<FrameRecord, KafkaPartitionSplit> createReader(SourceReaderContext context)
      throws Exception {
    watch.count(context.metricGroup().addGroup("everwatchSource").counter("recordsLost"));
    return new Reader(source.createReader(context), watch);
  }

  private record Reader(SourceReader<FrameRecord, KafkaPartitionSplit> reader, OffsetWatch watch)
      implements SourceReader<FrameRecord, KafkaPartitionSplit> {
    @Override
    public void addSplits(List<KafkaPartitionSplit> splits) {
      splits.forEach(split -> watch.begin(split.getTopicPartition(), split.getStartingOffset()));
      reader.addSplits(splits);
    }

    @Override
    public void start() {
      reader.start();
    }

    @Override
    public InputStatus pollNext(ReaderOutput<FrameRecord> output) throws Exception {
      return reader.pollNext(output);
    }

    @Override
    public List<KafkaPartitionSplit> snapshotState(long checkpoint) {
      return reader.snapshotState(checkpoint);
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
      return reader.isAvailable();
    }

    @Override
    public void notifyNoMoreSplits() {
      reader.notifyNoMoreSplits();
    }

    @Override
    public void handleSourceEvents(SourceEvent event) {
      reader.handleSourceEvents(event);
    }

    @Override
    public void notifyCheckpointComplete(long checkpoint) throws Exception {
      reader.notifyCheckpointComplete(checkpoint);
    }

    @Override
    public void notifyCheckpointAborted(long checkpoint) throws Exception {
      reader.notifyCheckpointAborted(checkpoint);
    }

    @Override
    public void pauseOrResumeSplits(Collection<String> toPause, Collection<String> toResume) {
      reader.pauseOrResumeSplits(toPause, toResume);
    }

    @Override
    public void close() throws Exception {
      reader.close();
    }
  }

  @Override
  public Boundedness getBoundedness() {
    return source.getBoundedness();
  }

  @Override
  public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> createEnumerator(
      SplitEnumeratorContext<KafkaPartitionSplit> context) {
    return source.createEnumerator(context);
  }

  @Override
  public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> restoreEnumerator(
      SplitEnumeratorContext<KafkaPartitionSplit> context, KafkaSourceEnumState state)
      throws Exception {
    return source.restoreEnumerator(context, state);
  }

  @Override
  public SimpleVersionedSerializer<KafkaPartitionSplit> getSplitSerializer() {
    return source.getSplitSerializer();
  }

  @Override
  public SimpleVersionedSerializer<KafkaSourceEnumState> getEnumeratorCheckpointSerializer() {
    return source.getEnumeratorCheckpointSerializer();
  }

  @Override
  public TypeInformation<FrameRecord> getProducedType() {
    return source.getProducedType();
  }
}
