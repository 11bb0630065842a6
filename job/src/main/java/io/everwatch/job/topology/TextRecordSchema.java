// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.operators.flink.TextRecord;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetIdentifier;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacetProvider;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * A text event as a record: key = stream ID, so that a stream stays in order; times as headers. Its
 * timestamp is the operator's, by which {@link KafkaCommittedText} finds it again. Names its topic,
 * because the pooling naming strategy looks for open transactions there.
 */
final class TextRecordSchema
    implements KafkaRecordSerializationSchema<TextRecord>, KafkaDatasetFacetProvider {
  private static final long serialVersionUID = 1;

  private final String topic;

  TextRecordSchema(String topic) {
    this.topic = topic;
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      TextRecord text, KafkaSinkContext context, @Nullable Long timestamp) {
    RecordHeaders headers = new RecordHeaders();
    text.headers().toMap().forEach(headers::add);
    return new ProducerRecord<>(
        topic,
        /* partition= */ null,
        text.givenMillis(),
        text.streamId().getBytes(StandardCharsets.UTF_8),
        text.value(),
        headers);
  }

  @Override
  public Optional<KafkaDatasetFacet> getKafkaDatasetFacet() {
    return Optional.of(
        new DefaultKafkaDatasetFacet(
            DefaultKafkaDatasetIdentifier.ofTopics(List.of(topic)), new Properties()));
  }
}
