// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.WireFormat;
import org.junit.jupiter.api.Test;

class RestartsTest {
  private final Restarts restarts = new Restarts();

  private static ReceivedText of(String stream, long startedMillis) {
    return new ReceivedText(
        WireFormat.newTextEvent()
            .setStreamId(stream)
            .setChunk(0)
            .setStartMicros(0)
            .setEndMicros(1)
            .build(),
        new EventHeaders(-1, -1, -1, -1, -1, -1, startedMillis),
        0,
        0,
        0,
        false);
  }

  @Test
  void aStartIsToldOnceForAllStreams() {
    assertThat(restarts.since(of("a", 1_000))).isEmpty();
    assertThat(restarts.since(of("b", 1_500))).as("another subtask").isEmpty();
    assertThat(restarts.since(of("a", 90_000))).hasValue(90_000);
    assertThat(restarts.since(of("b", 91_000))).isEmpty();
    assertThat(restarts.since(of("a", 90_000))).isEmpty();
    assertThat(restarts.since(of("b", 300_000))).hasValue(300_000);
  }

  @Test
  void aNewStreamAndEventsOfBeforeTellNothing() {
    restarts.since(of("a", 1_000));

    assertThat(restarts.since(of("new", 90_000))).isEmpty();
    assertThat(restarts.since(of("a", EventHeaders.ABSENT))).isEmpty();
    assertThat(restarts.since(of("a", 900))).as("written again after the restart").isEmpty();
  }
}
