// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.junit.jupiter.api.Test;

class StreamKeyTest {
  @Test
  void tellsStreamsOfOneSpreadApart() {
    assertThat(new StreamKey(5, "a"))
        .isNotEqualTo(new StreamKey(5, "b"))
        .hasSameHashCodeAs(new StreamKey(5, "b"))
        .isNotEqualTo(new StreamKey(6, "a"))
        .isEqualTo(new StreamKey(5, "a"));
  }

  @Test
  void goesWhereItsSpreadSays() {
    assertThat(KeyGroupRangeAssignment.assignToKeyGroup(new StreamKey(5, "a"), 128))
        .isEqualTo(KeyGroupRangeAssignment.assignToKeyGroup(5, 128));
  }

  @Test
  void keepsItsSpreadOverReleases() {
    assertThat(StreamKey.of("gate-north").spread()).isEqualTo(-1151031933);
  }

  @Test
  void needsNoGenericSerializer() {
    Configuration strict = new Configuration();
    strict.set(PipelineOptions.GENERIC_TYPES, false);
    ExecutionConfig config = new ExecutionConfig(strict);

    assertThat(StreamKey.TYPE.createSerializer(config.getSerializerConfig()))
        .isInstanceOf(StreamKey.Serializer.class);
    assertThat(FrameRecord.TYPE.createSerializer(config.getSerializerConfig()))
        .isInstanceOf(FrameRecordSerializer.class);
  }
}
