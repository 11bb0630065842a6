// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.schemas.avro.FrameEvent;
import java.util.List;

/** What holds for every stream that a camera sent. */
final class Streams {
  private Streams() {}

  /** Sequences and capture times increase; with {@code complete} no sequence is missing. */
  static void assertWholeStream(List<FrameEvent> events, boolean complete) {
    assertThat(events.size()).as("records").isPositive();
    FrameEvent end = events.get(events.size() - 1);
    assertThat(end.getEndOfStream()).as("the last record is the end").isTrue();
    for (int i = 1; i < events.size(); i++) {
      FrameEvent before = events.get(i - 1);
      FrameEvent event = events.get(i);
      assertThat(before.getEndOfStream()).as("record %d", i - 1).isFalse();
      if (complete) {
        assertThat(event.getSequence()).isEqualTo(before.getSequence() + 1);
      } else {
        assertThat(event.getSequence()).isGreaterThan(before.getSequence());
      }
      if (!event.getEndOfStream()) {
        assertThat(event.getCaptureMicros()).isGreaterThan(before.getCaptureMicros());
        assertThat(event.getBytes().remaining()).isPositive();
      }
    }
  }
}
