// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A camera of a real job falls silent, is told of, forgotten, and comes back. */
class SilentCameraITCase {
  @TempDir private Path dir;

  @Test
  void aCameraThatFallsSilentIsToldOfAndForgottenAndBeginsAnew() throws Exception {
    try (House house = new House(dir);
        RoadFrames road = new RoadFrames("north", 7, Encoding.PNG)) {
      String[] patient = {"stale-after", "1 s", "forget-after", "1 h"};
      for (int i = 0; i < 5; i++) {
        house.send(0, road.next().build());
      }
      try (LocalJob job = house.start(house.config(patient), Optional.empty())) {
        house.committedUntil(texts -> count(texts, TextKind.STALE) == 1);
      }
      Optional<Path> checkpoint = Checkpoints.newest(house.checkpoints());
      assertThat(checkpoint).isPresent();

      String[] impatient = {"stale-after", "1 s", "forget-after", "2 s"};
      List<ReceivedText> all;
      try (LocalJob job = house.start(house.config(impatient), checkpoint)) {
        house.committedUntil(texts -> count(texts, TextKind.ENDED) == 1);
        for (int i = 0; i < 4; i++) {
          house.send(0, road.next().build());
        }
        house.send(0, road.end());
        all = house.committedUntil(texts -> count(texts, TextKind.ENDED) == 2);
      }
      List<TextEvent> events = all.stream().map(ReceivedText::event).toList();
      assertThat(count(all, TextKind.STALE)).as("once, over the restart").isEqualTo(1);
      assertThat(events)
          .filteredOn(event -> event.getSubject().isEmpty())
          .extracting(TextEvent::getChunk)
          .containsExactly(0L, 1L, 2L, 0L, 1L);
      assertThat(events.stream().map(TextEvent::getBeganMicros).distinct()).hasSize(2);
      assertThat(all).extracting(ReceivedText::changed).containsOnly(false);

      AuditITCase.Outcome audit = AuditITCase.audit(house, "--frames");
      assertThat(audit.out())
          .contains("0 of them pending, in 2 stream lives; 0 lives are not wholly kept");
      assertThat(audit.exitCode()).as(audit.out()).isZero();
    }
  }

  private static long count(List<ReceivedText> texts, TextKind kind) {
    return texts.stream().filter(text -> text.event().getKind() == kind).count();
  }
}
