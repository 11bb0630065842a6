// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.operators.flink.FrameRecord;
import io.everwatch.operators.flink.Origin;
import io.everwatch.operators.flink.RecordReader;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * From a record of a topic to what the operator takes. Never throws for a record's content: the job
 * would restart and read the same record again, for ever. What cannot be read goes on as such and
 * ends on the dead-letter topic.
 */
final class RecordSchema implements KafkaRecordDeserializationSchema<FrameRecord> {
  private static final long serialVersionUID = 1;

  private final RecordReader reader;

  RecordSchema(RecordReader reader) {
    this.reader = reader;
  }

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<FrameRecord> out) {
    out.collect(
        reader.read(
            new Origin(record.topic(), record.partition(), record.offset(), record.key()),
            record.value(),
            record.timestamp()));
  }

  @Override
  public TypeInformation<FrameRecord> getProducedType() {
    return FrameRecord.TYPE;
  }
}
