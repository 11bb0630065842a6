// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batches;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.PatchBatch;
import io.everwatch.kernels.Reference;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Tolerance;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention of decoder and vision tower against references in double. */
class CpuAttentionTest {
  private static final long SEED = 7;

  static Stream<Arguments> productsAndLengths() {
    int[][] lengths = {
      {2, 0, 1},
      {2, 0, 2},
      {2, 1, 1},
      {2, 5, 3},
      {2, 63, 1},
      {2, 64, 7},
      {2, 131, 40},
      {2, 700, 13},
      {40, 5, 3}, // a row is more than what is loaded together
      {2, 3000, 40}, // more than a tile of scores
    };
    return Stream.of(true, false)
        .flatMap(plain -> Arrays.stream(lengths).map(n -> Arguments.of(plain, n[0], n[1], n[2])));
  }

  @ParameterizedTest(name = "plain {0}, {1} layers, {2} rows loaded, {3} computed")
  @MethodSource("productsAndLengths")
  void attendMatchesTheDoubleReference(boolean plain, int layers, int loaded, int computed) {
    KvShape shape = new KvShape(layers, 6, 2, 32, new int[] {4, 6, 6}, 10_000);
    int rows = loaded + computed;
    int layer = 1;
    int[] slots = Samples.permutation(SEED, rows + 3);
    float[][] positions = positions(rows);
    int rowElements = (int) shape.rowElements();
    float[] cached = Samples.gaussian(SEED + 1, loaded * rowElements);
    int tokenWidth = (shape.heads() + 2 * shape.kvHeads()) * shape.headDim();
    float[] qkv = Samples.gaussian(SEED + 2, computed * tokenWidth);
    try (Backend backend = Backends.open("cpu", new BackendOptions(1, plain));
        Arena arena = backend.arena();
        RowPool pool = backend.rowPool(shape, rows + 3);
        Context context = backend.context(pool)) {
      Batches.write(pool, Arrays.copyOf(slots, loaded), cached);
      context.load(Arrays.copyOf(slots, loaded), part(positions, 0, loaded));
      context.extend(Arrays.copyOfRange(slots, loaded, rows), part(positions, loaded, rows));
      DeviceBuffer in = CpuOperationsTest.padded(backend, arena, qkv);
      DeviceBuffer out = arena.allocate(computed, shape.heads() * 32L);
      backend.attend(layer, in, Batches.of(backend, context, computed), out);
      float[] actual =
          CpuOperationsTest.download(backend, out, computed * shape.heads() * shape.headDim());

      double worst = worstError(shape, layer, loaded, positions, cached, qkv, computed, actual);
      assertThat(worst)
          .isLessThan(
              Tolerance.ofAttention(rows, 32, Tolerance.largest(qkv), Tolerance.largest(qkv)));
      float[] stored = Batches.read(pool, slots[rows - 1]);
      int kv = shape.kvHeads() * shape.headDim();
      assertThat(Arrays.copyOfRange(stored, 2 * kv, 4 * kv))
          .as("K before rotation and V of the last token, layer 1")
          .containsExactly(
              Arrays.copyOfRange(
                  qkv,
                  (computed - 1) * tokenWidth + shape.heads() * shape.headDim(),
                  computed * tokenWidth));
    }
  }

  /** Also pins where the bits of shorter contexts come from. */
  @Test
  void longContextsAreAttendedToByManyTokensTogether() {
    assertThat(OneDnnAttention.tile(3, 1200)).isEqualTo(72);
    assertThat(OneDnnAttention.tile(3, 2700)).isEqualTo(32);
    assertThat(OneDnnAttention.tile(3, 46_000)).isEqualTo(32);
    assertThat(OneDnnAttention.tile(7, 200_000)).isEqualTo(13);
    assertThat(OneDnnAttention.tile(1, Integer.MAX_VALUE)).isEqualTo(96);
    assertThat(OneDnnAttention.tile(128, 1_000_000)).isEqualTo(1);
  }

  private static double worstError(
      KvShape shape,
      int layer,
      int loaded,
      float[][] positions,
      float[] cached,
      float[] qkv,
      int computed,
      float[] actual) {
    int headDim = shape.headDim();
    int group = shape.heads() / shape.kvHeads();
    int kv = shape.kvHeads() * headDim;
    int tokenWidth = shape.heads() * headDim + 2 * kv;
    int rowElements = (int) shape.rowElements();
    int rows = loaded + computed;
    double worst = 0;
    for (int kvHead = 0; kvHead < shape.kvHeads(); kvHead++) {
      double[][] k = new double[rows][];
      double[][] v = new double[rows][headDim];
      for (int row = 0; row < rows; row++) {
        float[] source = row < loaded ? cached : qkv;
        int from =
            (row < loaded
                    ? row * rowElements + 2 * layer * kv
                    : (row - loaded) * tokenWidth + shape.heads() * headDim)
                + kvHead * headDim;
        k[row] = Reference.rotate(source, from, Reference.angles(shape, positions, row));
        for (int d = 0; d < headDim; d++) {
          v[row][d] = source[from + kv + d];
        }
      }
      for (int t = 0; t < computed; t++) {
        double[] angles = Reference.angles(shape, positions, loaded + t);
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
          double[] q = Reference.rotate(qkv, t * tokenWidth + head * headDim, angles);
          double[] expected = Reference.attend(q, k, v, loaded + t + 1);
          for (int d = 0; d < headDim; d++) {
            int at = (t * shape.heads() + head) * headDim + d;
            worst = Math.max(worst, Math.abs(actual[at] - expected[d]));
          }
        }
      }
    }
    return worst;
  }

  /** Contiguous, with fractional time and separate height and width for some rows. */
  static float[][] positions(int rows) {
    float[][] positions = new float[3][rows];
    for (int i = 0; i < rows; i++) {
      positions[0][i] = i % 7 < 4 ? i + 0.25f * (i % 3) : i;
      positions[1][i] = i % 7 < 4 ? i + 1 : i;
      positions[2][i] = i % 7 < 4 ? i + 2 : i;
    }
    return positions;
  }

  static float[][] part(float[][] positions, int from, int to) {
    return Arrays.stream(positions)
        .map(p -> Arrays.copyOfRange(p, from, to))
        .toArray(float[][]::new);
  }

  static Stream<Arguments> productsAndSegments() {
    int[][] segments = {{1}, {3}, {16, 16, 16, 16}, {64}, {5, 1, 17}, {257, 2}};
    return Stream.of(true, false)
        .flatMap(plain -> Arrays.stream(segments).map(s -> Arguments.of(plain, s)));
  }

  @ParameterizedTest(name = "plain {0}, segments {1}")
  @MethodSource("productsAndSegments")
  void segmentAttentionMatchesTheDoubleReference(boolean plain, int[] segments) {
    int heads = 3;
    int headDim = 8;
    int width = heads * headDim;
    int patches = Arrays.stream(segments).sum();
    float[] qkv = Samples.gaussian(SEED, patches * 3 * width);
    float[] angles = Samples.gaussian(SEED + 1, patches * headDim / 2);
    try (Backend backend = Backends.open("cpu", new BackendOptions(1, plain));
        Arena arena = backend.arena()) {
      DeviceBuffer in = CpuOperationsTest.padded(backend, arena, qkv);
      DeviceBuffer out = arena.allocate(patches, width);
      PatchBatch batch = backend.patchBatch(angles, headDim, List.of(segments), arena);
      backend.segmentAttention(in, batch, 0, heads, out);
      float[] actual = CpuOperationsTest.download(backend, out, patches * width);
      double limit =
          Tolerance.ofAttention(
              Arrays.stream(segments).max().orElseThrow(),
              headDim,
              Tolerance.largest(qkv),
              Tolerance.largest(qkv));
      int first = 0;
      for (int length : segments) {
        for (int head = 0; head < heads; head++) {
          double[][] q = new double[length][];
          double[][] k = new double[length][];
          double[][] v = new double[length][headDim];
          for (int i = 0; i < length; i++) {
            int from = (first + i) * 3 * width + head * headDim;
            double[] own = new double[headDim / 2];
            for (int p = 0; p < own.length; p++) {
              own[p] = angles[(first + i) * own.length + p];
            }
            q[i] = Reference.rotate(qkv, from, own);
            k[i] = Reference.rotate(qkv, from + width, own);
            for (int d = 0; d < headDim; d++) {
              v[i][d] = qkv[from + 2 * width + d];
            }
          }
          for (int i = 0; i < length; i++) {
            double[] expected = Reference.attend(q[i], k, v, length);
            for (int d = 0; d < headDim; d++) {
              assertThat((double) actual[(first + i) * width + head * headDim + d])
                  .isCloseTo(expected[d], org.assertj.core.data.Offset.offset(limit));
            }
          }
        }
        first += length;
      }
    }
  }
}
