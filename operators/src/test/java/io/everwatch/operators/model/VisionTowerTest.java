// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class VisionTowerTest {
  private static final Backend CPU = Backends.open("cpu", new BackendOptions(2, false));

  private static final Path SHIPPED =
      Path.of("src/main/resources/io/everwatch/models/everwatch-tiny");

  @AfterAll
  static void close() {
    CPU.close();
  }

  static Stream<Path> checkpoints() {
    return Stream.of(GoldenFolder.TINY_A, GoldenFolder.TINY_B, SHIPPED);
  }

  @ParameterizedTest
  @MethodSource("checkpoints")
  void clipsOfManySizesTogetherGiveTheBitsOfEachAlone(Path checkpoint) {
    VisionTower tower = tower(checkpoint);
    List<Patches> clips =
        List.of(clip(1, 4, 6, 1), clip(2, 10, 14, 2), clip(1, 2, 2, 3), clip(3, 8, 8, 4));

    float[] together = encode(tower, clips);

    assertThat(together).isEqualTo(oneByOne(tower, clips));
    List<Patches> reversed = new ArrayList<>(clips);
    java.util.Collections.reverse(reversed);
    assertThat(encode(tower, reversed)).isEqualTo(oneByOne(tower, reversed));
  }

  @Test
  void aFramePairDoesNotSeeItsNeighbours() {
    VisionTower tower = tower(GoldenFolder.TINY_A);
    Patches whole = clip(3, 6, 10, 5);
    List<Patches> pairs = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int size = whole.rows().length / 3;
      pairs.add(new Patches(Arrays.copyOfRange(whole.rows(), i * size, (i + 1) * size), 1, 6, 10));
    }

    assertThat(encode(tower, List.of(whole))).isEqualTo(oneByOne(tower, pairs));
  }

  @Test
  void countsOneRowPerMergeGroup() {
    VisionTower tower = tower(GoldenFolder.TINY_A);

    assertThat(tower.rows(clip(2, 10, 14, 1))).isEqualTo(70);
    assertThat(tower.outWidth()).isEqualTo(128);
  }

  @Test
  void refusesPatchesThatAreNotItsOwn() {
    VisionTower tower = tower(GoldenFolder.TINY_A);
    for (Patches bad :
        List.of(
            new Patches(new float[1175 * 4], 1, 2, 2),
            new Patches(new float[1176 * 6], 1, 2, 3),
            new Patches(new float[0], 0, 2, 2))) {
      try (Arena arena = CPU.arena()) {
        assertThatThrownBy(() -> tower.encode(List.of(bad), arena))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("expected height and width in multiples of 2");
      }
    }
  }

  private static VisionTower tower(Path checkpoint) {
    return Model.load(ModelFolder.open(checkpoint), CPU).tower();
  }

  private static float[] encode(VisionTower tower, List<Patches> clips) {
    try (Arena arena = CPU.arena()) {
      DeviceBuffer out = tower.encode(clips, arena);
      float[] rows = new float[clips.stream().mapToInt(tower::rows).sum() * tower.outWidth()];
      CPU.download(out, 0, rows, 0, rows.length);
      return rows;
    }
  }

  private static float[] oneByOne(VisionTower tower, List<Patches> clips) {
    float[] all = new float[0];
    for (Patches clip : clips) {
      float[] rows = encode(tower, List.of(clip));
      all = Arrays.copyOf(all, all.length + rows.length);
      System.arraycopy(rows, 0, all, all.length - rows.length, rows.length);
    }
    return all;
  }

  private static Patches clip(int frames, int height, int width, long seed) {
    Random random = new Random(seed);
    float[] rows = new float[frames * height * width * 1176];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) random.nextGaussian();
    }
    return new Patches(rows, frames, height, width);
  }
}
