// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.operators.flink.DeadLetterRecord;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** A dead letter as a record, with the key that the unusable record had. */
final class DeadLetterSchema implements KafkaRecordSerializationSchema<DeadLetterRecord> {
  private static final long serialVersionUID = 1;

  private final String topic;

  DeadLetterSchema(String topic) {
    this.topic = topic;
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      DeadLetterRecord letter, KafkaSinkContext context, @Nullable Long timestamp) {
    return new ProducerRecord<>(topic, letter.key(), letter.value());
  }
}
