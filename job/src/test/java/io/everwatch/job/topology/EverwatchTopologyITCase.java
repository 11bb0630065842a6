// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job with the shipped model, from topic to topic. */
class EverwatchTopologyITCase {
  private static final int SECONDS = 6;

  @TempDir private Path dir;
  private House house;

  @BeforeEach
  void open() throws Exception {
    house = new House(dir);
  }

  @AfterEach
  void close() {
    house.close();
  }

  @Test
  void everySecondOfEachStreamBecomesOneCommittedEvent() throws Exception {
    sendRoad("north", 0, 7);
    sendRoad("south", 1, 8);
    List<ReceivedText> all;
    try (LocalJob job = house.start(house.config(), Optional.empty())) {
      all = house.committedUntil(texts -> ended(texts) == 2);
    }
    for (String stream : List.of("north", "south")) {
      List<TextEvent> events =
          all.stream()
              .map(ReceivedText::event)
              .filter(event -> event.getStreamId().equals(stream))
              .filter(event -> event.getKind() != TextKind.ENDED)
              .toList();
      assertThat(events).extracting(TextEvent::getChunk).containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
      assertThat(events)
          .allSatisfy(
              event -> {
                assertThat(event.getKind()).isIn(TextKind.COMMENT, TextKind.SILENCE);
                assertThat(event.getFrames().getUsed()).isEqualTo(2);
                assertThat(event.getSources())
                    .singleElement()
                    .satisfies(
                        source -> {
                          assertThat(source.getTopic()).isEqualTo("frames");
                          assertThat(source.getLastOffset()).isEqualTo(2 * event.getChunk() + 1);
                        });
              });
    }
    assertThat(all)
        .filteredOn(text -> text.event().getKind() == TextKind.COMMENT)
        .as("the road of these seeds is not silent for six seconds")
        .isNotEmpty()
        .allSatisfy(
            text -> {
              EventHeaders times = text.headers();
              assertThat(times.arrivalMillis()).isPositive();
              assertThat(times.doneMillis()).isGreaterThanOrEqualTo(times.prefillDoneMillis());
            });
    assertThat(house.deadLetters()).isEmpty();
  }

  @Test
  void aJobThatGoesOnFromItsCheckpointSaysWhatAnUninterruptedOneSays() throws Exception {
    List<byte[]> whole = uninterrupted(dir.resolve("other"));

    List<io.everwatch.schemas.avro.FrameEvent> frames = new ArrayList<>();
    try (RoadFrames road = new RoadFrames("north", 7, Encoding.PNG)) {
      for (int i = 0; i < 2 * SECONDS; i++) {
        frames.add(road.next().build());
      }
      frames.add(road.end());
    }
    int half = SECONDS + 1; // in the middle of a chunk
    for (int i = 0; i < half; i++) {
      house.send(0, frames.get(i));
    }
    try (LocalJob job = house.start(house.config(), Optional.empty())) {
      assertThat(house.committedUntil(texts -> texts.size() == half / 2)).hasSize(half / 2);
    }
    Optional<Path> checkpoint = Checkpoints.newest(house.checkpoints());
    assertThat(checkpoint).isPresent();
    for (int i = half; i < frames.size(); i++) {
      house.send(0, frames.get(i));
    }
    // Another parallelism, so that the state moves.
    try (LocalJob job = house.start(house.config("parallelism", "1"), checkpoint)) {
      house.committedUntil(texts -> ended(texts) == 1);
    }

    assertThat(text(house.committedBytes("north"))).isEqualTo(text(whole));
  }

  private static List<byte[]> uninterrupted(Path dir) throws Exception {
    try (House other = new House(dir);
        RoadFrames road = new RoadFrames("north", 7, Encoding.PNG)) {
      for (int i = 0; i < 2 * SECONDS; i++) {
        other.send(0, road.next().build());
      }
      other.send(0, road.end());
      try (LocalJob job = other.start(other.config(), Optional.empty())) {
        other.committedUntil(texts -> ended(texts) == 1);
      }
      return other.committedBytes("north");
    }
  }

  private void sendRoad(String streamId, int partition, long seed) throws Exception {
    try (RoadFrames road = new RoadFrames(streamId, seed, Encoding.PNG)) {
      for (int i = 0; i < 2 * SECONDS; i++) {
        house.send(partition, road.next().build());
      }
      house.send(partition, road.end());
    }
  }

  static long ended(List<ReceivedText> texts) {
    return texts.stream().filter(text -> text.event().getKind() == TextKind.ENDED).count();
  }

  /** Bytes as text, one character each: comparable, and readable when they differ. */
  static List<String> text(List<byte[]> values) {
    return values.stream().map(value -> new String(value, StandardCharsets.ISO_8859_1)).toList();
  }
}
