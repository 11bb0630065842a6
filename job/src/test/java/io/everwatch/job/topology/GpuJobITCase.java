// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.kernels.cuda.RequiresDevice;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on a GPU, with a small model: broken off and restored, it says the same bytes. */
@RequiresDevice
class GpuJobITCase {
  private static final int SECONDS = 4;
  private static final List<String> STREAMS = List.of("east", "north", "west");

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
  void aJobOnTheGpuGoesOnFromItsCheckpointAsIfNothingHadHappened() throws Exception {
    List<List<String>> whole = uninterrupted(dir.resolve("other"));
    assertThat(whole).allSatisfy(values -> assertThat(values).hasSize(SECONDS + 1));

    List<List<FrameEvent>> frames = frames();
    int half = SECONDS + 1; // in the middle of a chunk
    send(house, frames, 0, half);
    try (LocalJob job = house.start(config(house), Optional.empty())) {
      house.committedUntil(texts -> texts.size() == STREAMS.size() * (half / 2));
    }
    Optional<Path> checkpoint = Checkpoints.newest(house.checkpoints());
    assertThat(checkpoint).isPresent();
    send(house, frames, half, frames.get(0).size());
    try (LocalJob job = house.start(config(house, "parallelism", "1"), checkpoint)) {
      house.committedUntil(texts -> ended(texts) == STREAMS.size());
    }

    assertThat(committed(house)).isEqualTo(whole);
    assertThat(house.deadLetters()).isEmpty();
  }

  private static EverwatchConfig config(House house, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "device", "cuda",
                "model", "random:qwen2.5-vl-tiny",
                "engine.kv-memory", "16 MiB",
                "state.backend", "hashmap"));
    all.addAll(List.of(more));
    return house.config(all.toArray(String[]::new));
  }

  private static List<List<String>> uninterrupted(Path dir) throws Exception {
    try (House other = new House(dir)) {
      List<List<FrameEvent>> frames = frames();
      send(other, frames, 0, frames.get(0).size());
      try (LocalJob job = other.start(config(other), Optional.empty())) {
        other.committedUntil(texts -> ended(texts) == STREAMS.size());
      }
      return committed(other);
    }
  }

  /** Of each stream, its end included. */
  private static List<List<FrameEvent>> frames() {
    List<List<FrameEvent>> all = new ArrayList<>();
    for (int s = 0; s < STREAMS.size(); s++) {
      try (RoadFrames road = new RoadFrames(STREAMS.get(s), 7 + s, Encoding.PNG)) {
        List<FrameEvent> frames = new ArrayList<>();
        for (int i = 0; i < 2 * SECONDS; i++) {
          frames.add(road.next().build());
        }
        frames.add(road.end());
        all.add(frames);
      }
    }
    return all;
  }

  private static void send(House to, List<List<FrameEvent>> frames, int from, int end)
      throws Exception {
    for (int i = from; i < end; i++) {
      for (int s = 0; s < frames.size(); s++) {
        to.send(s % 2, frames.get(s).get(i));
      }
    }
  }

  private static List<List<String>> committed(House of) {
    return STREAMS.stream()
        .map(stream -> EverwatchTopologyITCase.text(of.committedBytes(stream)))
        .toList();
  }

  private static long ended(List<ReceivedText> texts) {
    return texts.stream().filter(text -> text.event().getKind() == TextKind.ENDED).count();
  }
}
