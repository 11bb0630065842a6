// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The job was away for longer than the topic keeps frames. */
class RetentionITCase {
  private static final int BEFORE = 7;
  private static final int LOST = 20;
  private static final int AFTER = 6;

  /** Besides the lost frames: longer than a clock may jump, and than the visual window. */
  private static final long AWAY_MICROS = 60_000_000;

  @TempDir private Path dir;

  @ParameterizedTest
  @ValueSource(strings = {"latest", "committed"})
  void whatRetentionTookIsOneGapAndWhatIsThereIsUnderstood(String start) throws Exception {
    try (House house = new House(dir);
        RoadFrames road = new RoadFrames("north", 7, Encoding.PNG)) {
      house.takeProducersTimes();
      for (int i = 0; i < BEFORE; i++) {
        house.sendAt(0, road.next().build());
      }
      try (LocalJob job = house.start(house.config("start", "earliest"), Optional.empty())) {
        house.committedUntil(texts -> texts.size() == BEFORE / 2);
      }
      Optional<Path> checkpoint = Checkpoints.newest(house.checkpoints());
      assertThat(checkpoint).isPresent();

      for (int i = 0; i < LOST; i++) {
        house.sendAt(0, road.next().build());
      }
      house.deleteFramesBefore(0, BEFORE + LOST);
      for (int i = 0; i < AFTER; i++) {
        FrameEvent.Builder frame = road.next();
        house.sendAt(0, frame.setCaptureMicros(frame.getCaptureMicros() + AWAY_MICROS).build());
      }
      house.send(0, road.end());
      List<ReceivedText> all;
      try (LocalJob job = house.start(house.config("start", start), checkpoint)) {
        all = house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 1);
      }

      List<TextEvent> events = all.stream().map(ReceivedText::event).toList();
      assertThat(events).extracting(TextEvent::getClockReset).containsOnly(false);
      List<TextEvent> gaps =
          events.stream().filter(event -> event.getKind() == TextKind.GAP).toList();
      assertThat(gaps).hasSize(1);
      // Seconds 0 to 3 had frames; the first of those that are there lies at 13.5 s, and a minute.
      assertThat(gaps.get(0).getChunk()).isEqualTo(4);
      assertThat(gaps.get(0).getSkipped().getLastChunk()).isEqualTo(72);
      assertThat(events.get(events.size() - 1).getChunk()).isEqualTo(77);
      assertThat(house.deadLetters()).isEmpty();
    }
  }
}
