// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.operators.flink.CommandRecordReader;
import io.everwatch.operators.flink.FrameRecord;
import io.everwatch.operators.flink.SpreadRegistry;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * From a record of the commands topic to what the operator takes; see {@link FrameRecordSchema}.
 */
final class CommandRecordSchema implements KafkaRecordDeserializationSchema<FrameRecord> {
  private static final long serialVersionUID = 1;

  private final CommandRecordReader reader;

  CommandRecordSchema(SpreadRegistry spreads) {
    reader = new CommandRecordReader(spreads);
  }

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<FrameRecord> out) {
    out.collect(
        reader.read(
            record.topic(),
            record.partition(),
            record.offset(),
            record.key(),
            record.value(),
            record.timestamp()));
  }

  @Override
  public TypeInformation<FrameRecord> getProducedType() {
    return FrameRecord.TYPE;
  }
}
