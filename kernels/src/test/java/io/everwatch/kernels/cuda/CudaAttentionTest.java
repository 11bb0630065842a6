// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.cuda.AttentionStage.Actor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention of a decoder layer over the pool: contexts, tables, rotation, decode and prefill. */
@RequiresDevice
class CudaAttentionTest {
  private static final long SEED = 11;
  private static final int LARGE_TILES = 1; // one tile is enough for one multiprocessor
  private static final int SMALL_TILES = 1_000_000;
  private static final KvShape SMALL = new KvShape(2, 6, 2, 32, new int[] {4, 6, 6}, 10_000);

  private CudaDevice device;

  @BeforeEach
  void open() {
    device = CudaDevice.open(0);
  }

  @AfterEach
  void close() {
    device.close();
  }

  private static KvShape shape(int heads, int kvHeads, int headDim) {
    int h = headDim / 2;
    return new KvShape(
        2,
        heads,
        kvHeads,
        headDim,
        new int[] {h / 4, h / 2 - h / 8, h - h / 4 - (h / 2 - h / 8)},
        1e6);
  }

  /** Types, heads (grouped by 1, 3, 7, 8, 9, 20), head dims, rows loaded, rows of two prefills. */
  static Stream<Arguments> shapesAndLengths() {
    Object[][] cases = {
      {6, 2, 32, 0, 1, 2},
      {6, 2, 32, 5, 3, 1},
      {6, 2, 32, 63, 1, 64},
      {6, 2, 32, 131, 40, 1},
      {6, 2, 32, 255, 30, 7},
      {2, 2, 64, 17, 70, 1},
      {2, 2, 64, 48, 33, 1}, // of a warp's 32 queries the first 16 end with a tile of 64 rows
      {9, 1, 32, 40, 9, 15},
      {20, 1, 32, 20, 4, 3},
      {7, 1, 128, 70, 20, 5},
      {16, 2, 64, 15, 5, 33},
    };
    return Stream.of(DType.BF16, DType.F32)
        .flatMap(
            type ->
                Arrays.stream(cases)
                    .map(
                        c ->
                            Arguments.of(
                                type,
                                shape((int) c[0], (int) c[1], (int) c[2]),
                                c[3],
                                c[4],
                                c[5])));
  }

  @ParameterizedTest(name = "{0} {1}: {2} loaded, {3} and {4} computed, then decoded")
  @MethodSource("shapesAndLengths")
  void everyPassMatchesTheDoubleReference(
      DType dtype, KvShape shape, int loaded, int first, int second) {
    try (AttentionStage stage = new AttentionStage(device, shape, dtype, 400, SEED)) {
      AttentionStream data = new AttentionStream(shape, dtype, SEED);
      Actor actor = stage.actor(data, loaded);
      stage.pool.batches().assumeMultiprocessors(LARGE_TILES);
      assertClose(data, loaded, stage.prefill(List.of(actor), first).get(0));
      stage.pool.batches().assumeMultiprocessors(SMALL_TILES);
      assertClose(data, loaded + first, stage.prefill(List.of(actor), second).get(0));
      int rows = loaded + first + second;
      assertClose(data, rows, stage.decode(List.of(actor)).get(0));
      assertClose(data, rows + 1, stage.decode(List.of(actor)).get(0));
    }
  }

  @ParameterizedTest(name = "{0}, D = {1}")
  @MethodSource("typesAndHeadDims")
  void decodeOverSeveralPiecesMatchesTheDoubleReference(DType dtype, int headDim) {
    KvShape shape = shape(4, 2, headDim);
    for (int rows : new int[] {254, 255, 256, 511, 700}) {
      try (AttentionStage stage = new AttentionStage(device, shape, dtype, 720, SEED)) {
        AttentionStream data = new AttentionStream(shape, dtype, SEED + rows);
        Actor actor = stage.actor(data, rows);
        assertClose(data, rows, stage.decode(List.of(actor)).get(0));
        assertClose(data, rows + 1, stage.decode(List.of(actor)).get(0));
      }
    }
  }

  static Stream<Arguments> typesAndHeadDims() {
    return Stream.of(DType.BF16, DType.F32)
        .flatMap(type -> Stream.of(32, 64, 128).map(d -> Arguments.of(type, d)));
  }

  private static void assertClose(AttentionStream data, int firstRow, float[] actual) {
    double[][] expected = data.expected(firstRow, AttentionStage.LAYER);
    int width = expected[0].length;
    for (int row = 0; row < actual.length / width; row++) {
      if (row > 0) {
        expected = data.expected(firstRow + row, AttentionStage.LAYER);
      }
      for (int i = 0; i < width; i++) {
        double off = Math.abs(actual[row * width + i] - expected[0][i]);
        if (!(off <= expected[1][i])) {
          throw new AssertionError(
              "row %d, element %d: %s, expected %s within %s"
                  .formatted(
                      firstRow + row, i, actual[row * width + i], expected[0][i], expected[1][i]));
        }
      }
    }
  }

  // --- the same bits, whatever happens around a row ---

  /** A stream's life: loaded rows, a prefill, two decoded rows; all results in a row. */
  private static float[] life(AttentionStage stage, AttentionStream data, int loaded, int fresh) {
    return lives(stage, List.of(data), new int[] {loaded}, new int[] {fresh}).get(0);
  }

  private static List<float[]> lives(
      AttentionStage stage, List<AttentionStream> data, int[] loaded, int[] fresh) {
    List<Actor> actors = new ArrayList<>();
    for (int i = 0; i < loaded.length; i++) {
      actors.add(stage.actor(data.get(i), loaded[i]));
    }
    List<List<float[]>> passes =
        List.of(stage.prefill(actors, fresh), stage.decode(actors), stage.decode(actors));
    List<float[]> lives = new ArrayList<>();
    for (int i = 0; i < loaded.length; i++) {
      float[] life = new float[0];
      for (List<float[]> pass : passes) {
        int at = life.length;
        life = Arrays.copyOf(life, at + pass.get(i).length);
        System.arraycopy(pass.get(i), 0, life, at, pass.get(i).length);
      }
      lives.add(life);
    }
    actors.forEach(actor -> actor.context.close());
    return lives;
  }

  private float[] life(DType dtype, KvShape shape, int loaded, int fresh, long slotSeed) {
    try (AttentionStage stage = new AttentionStage(device, shape, dtype, 400, slotSeed)) {
      return life(stage, new AttentionStream(shape, dtype, SEED), loaded, fresh);
    }
  }

  /** Three streams, so that a block of the decode kernel has more than one piece to work on. */
  private float[] threeLives(DType dtype, KvShape shape, int multiprocessors) {
    try (AttentionStage stage = new AttentionStage(device, shape, dtype, 400, SEED)) {
      stage.pool.batches().assumeMultiprocessors(multiprocessors);
      List<AttentionStream> data = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        data.add(new AttentionStream(shape, dtype, SEED + 100_000L * i));
      }
      List<float[]> lives = lives(stage, data, new int[] {270, 40, 0}, new int[] {21, 3, 9});
      float[] all = new float[lives.stream().mapToInt(life -> life.length).sum()];
      int at = 0;
      for (float[] life : lives) {
        System.arraycopy(life, 0, all, at, life.length);
        at += life.length;
      }
      return all;
    }
  }

  /** One shape for each form of the kernels. */
  static Stream<Arguments> forms() {
    return Stream.of(
        Arguments.of(DType.BF16, shape(6, 2, 32)),
        Arguments.of(DType.BF16, shape(6, 2, 64)),
        Arguments.of(DType.BF16, shape(7, 1, 128)),
        Arguments.of(DType.BF16, shape(20, 1, 32)),
        Arguments.of(DType.BF16, shape(9, 1, 64)),
        Arguments.of(DType.BF16, shape(9, 1, 128)),
        Arguments.of(DType.F32, shape(6, 2, 64)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("forms")
  @EnabledOnEmulation
  void theOrderOfThreadsChangesNoBit(DType dtype, KvShape shape) {
    float[] forward = threeLives(dtype, shape, LARGE_TILES);
    for (String setting :
        List.of(
            "order=reverse",
            "order=random:1",
            "order=random:2",
            "order=random:3",
            "cpasync=early",
            "streams=lazy")) {
      Emulation.set(setting);
      for (int tiles : new int[] {LARGE_TILES, SMALL_TILES}) {
        assertThat(threeLives(dtype, shape, tiles)).as(setting).containsExactly(forward);
      }
      Emulation.reset();
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("forms")
  @EnabledOnEmulation
  void theCheckerHasNothingToReport(DType dtype, KvShape shape) {
    float[] unchecked = threeLives(dtype, shape, LARGE_TILES);
    device.close();
    device = Emulation.openChecked();
    for (int tiles : new int[] {LARGE_TILES, SMALL_TILES}) {
      assertThat(threeLives(dtype, shape, tiles)).containsExactly(unchecked);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void slotsAndWorkBlocksChangeNoBit(DType dtype) {
    float[] first = life(dtype, SMALL, 150, 33, SEED);
    for (int i = 1; i <= 3; i++) {
      assertThat(life(dtype, SMALL, 150, 33, SEED + i)).as("slots %d", i).containsExactly(first);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void companyChangesNoBit(DType dtype) {
    int loaded = 300;
    int fresh = 30;
    AttentionStream data = new AttentionStream(SMALL, dtype, SEED);
    float[] alone = life(dtype, SMALL, loaded, fresh, SEED);
    for (int others : new int[] {1, 7, 63}) {
      try (AttentionStage stage = new AttentionStage(device, SMALL, dtype, 3000, SEED)) {
        int place = others / 2;
        List<AttentionStream> all = new ArrayList<>();
        int[] loads = new int[others + 1];
        int[] counts = new int[others + 1];
        for (int i = 0; i <= others; i++) {
          all.add(i == place ? data : new AttentionStream(SMALL, dtype, SEED + 100_000L * (i + 1)));
          loads[i] = i == place ? loaded : i % 5 * 9;
          counts[i] = i == place ? fresh : 1 + i % 6;
        }
        assertThat(lives(stage, all, loads, counts).get(place))
            .as("among %d others", others)
            .containsExactly(alone);
      }
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("forms")
  void largeAndSmallTilesGiveTheSameBits(DType dtype, KvShape shape) {
    assertThat(threeLives(dtype, shape, SMALL_TILES))
        .containsExactly(threeLives(dtype, shape, LARGE_TILES));
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void contextsMayShareSlots(DType dtype) {
    try (AttentionStage stage = new AttentionStage(device, SMALL, dtype, 400, SEED)) {
      AttentionStream data = new AttentionStream(SMALL, dtype, SEED);
      int[] shared = stage.takeSlots(90);
      byte[][] rows = new byte[90][];
      for (int i = 0; i < 90; i++) {
        rows[i] = data.bytes(i);
      }
      stage.pool.write(shared, rows);
      Actor one = stage.actor(data, shared);
      Actor other = stage.actor(data, shared);
      List<float[]> both = stage.prefill(List.of(one, other), 5, 5);
      assertThat(both.get(1)).containsExactly(both.get(0));
      both = stage.decode(List.of(other, one));
      assertThat(both.get(1)).containsExactly(both.get(0));
      assertClose(data, 95, both.get(0));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void aRowIsTheSameComputedOrLoaded(DType dtype) {
    try (AttentionStage stage = new AttentionStage(device, SMALL, dtype, 400, SEED)) {
      AttentionStream data = new AttentionStream(SMALL, dtype, SEED);
      float[] computed = life(stage, data, 0, 80);
      float[] loaded = life(stage, data, 79, 1);
      int width = SMALL.heads() * SMALL.headDim();
      assertThat(Arrays.copyOfRange(loaded, width, 3 * width))
          .as("decoded over 80 rows")
          .containsExactly(Arrays.copyOfRange(computed, 80 * width, 82 * width));
    }
  }

  @Test
  void storesKeysBeforeRotationAndValues() {
    try (AttentionStage stage = new AttentionStage(device, SMALL, DType.BF16, 64, SEED)) {
      AttentionStream data = new AttentionStream(SMALL, DType.BF16, SEED);
      Actor actor = stage.actor(data, 3);
      stage.prefill(List.of(actor), 2);
      stage.decode(List.of(actor));
      int kv = 2 * SMALL.kvHeads() * SMALL.headDim() * 2; // bytes of K and V of a layer
      for (int row = 3; row < 6; row++) {
        byte[] stored = stage.pool.read(new int[] {actor.context.slot(row)}).await()[0];
        assertThat(Arrays.copyOfRange(stored, AttentionStage.LAYER * kv, stored.length))
            .as("row %d, layer %d", row, AttentionStage.LAYER)
            .containsExactly(
                Arrays.copyOfRange(data.bytes(row), AttentionStage.LAYER * kv, stored.length));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @EnabledOnEmulation
  void aPassKeepsItsTablesWhenTheNextIsFilledInEarly(boolean decode) {
    List<List<float[]>> results = new ArrayList<>();
    for (String streams : List.of("streams=eager", "streams=lazy")) {
      Emulation.set(streams);
      try (AttentionStage stage = new AttentionStage(device, SMALL, DType.BF16, 400, SEED)) {
        List<Actor> actors = actors(stage, DType.BF16, 100, 7);
        List<Actor> first = actors.subList(0, 1);
        List<Actor> second = actors.subList(1, 2);
        var one = decode ? stage.decodeLater(first) : stage.prefillLater(first, 2);
        var other = decode ? stage.decodeLater(second) : stage.prefillLater(second, 90); // larger
        results.add(List.of(one.get().get(0), other.get().get(0)));
      }
    }
    for (int pass = 0; pass < 2; pass++) {
      assertThat(results.get(1).get(pass))
          .as("pass %d", pass)
          .containsExactly(results.get(0).get(pass));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void aRecordedPassFitsLaterBatchesOfItsBucket(DType dtype) {
    int[][] lengths = {{300, 3, 255}, {1, 600, 64, 2}, {511, 5, 40}};
    try (AttentionStage direct = new AttentionStage(device, SMALL, dtype, 2000, SEED);
        AttentionStage recorded = new AttentionStage(device, SMALL, dtype, 2000, SEED)) {
      for (int[] loaded : lengths) {
        List<float[]> expected = direct.decode(actors(direct, dtype, loaded));
        List<float[]> replayed = recorded.replay(actors(recorded, dtype, loaded));
        for (int i = 0; i < loaded.length; i++) {
          assertThat(replayed.get(i)).as("%d rows", loaded[i]).containsExactly(expected.get(i));
        }
      }
    }
  }

  private static List<Actor> actors(AttentionStage stage, DType dtype, int... loaded) {
    List<Actor> actors = new ArrayList<>();
    for (int rows : loaded) {
      actors.add(stage.actor(new AttentionStream(SMALL, dtype, SEED + rows), rows));
    }
    return actors;
  }
}
