// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.Reference;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Tolerance;
import io.everwatch.kernels.cuda.CudaSegmentAttention.PatchTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention of the vision tower against a reference in double. */
@RequiresDevice
class CudaSegmentAttentionTest {
  private static final long SEED = 20251120;

  /** Longer than a tile of queries and of keys, both exactly, one patch, none, and primes. */
  private static final int[] RAGGED = {64, 1, 130, 0, 17, 48};

  /** As in the windowed blocks: none longer than the narrow tile. */
  private static final int[] WINDOWS = {64, 16, 4, 64, 31};

  private record Input(float[] qkv, float[] angles, int[] lengths, int heads, int headDim) {
    static Input of(DType type, int[] lengths, int heads, int headDim) {
      int patches = Arrays.stream(lengths).sum();
      float[] qkv = Samples.gaussian(SEED, patches * 3 * heads * headDim);
      float[] angles = Samples.gaussian(SEED + 1, patches * headDim / 2);
      for (int i = 0; i < angles.length; i++) {
        angles[i] *= 20;
      }
      return new Input(type == DType.BF16 ? Bf16.round(qkv) : qkv, angles, lengths, heads, headDim);
    }

    double[] turn(int patch) {
      double[] turn = new double[headDim / 2];
      for (int i = 0; i < turn.length; i++) {
        turn[i] = angles[patch * turn.length + i];
      }
      return turn;
    }

    /** The patches of segments {@code [from, to)} alone. */
    Input part(int from, int to) {
      int first = Arrays.stream(lengths, 0, from).sum();
      int end = Arrays.stream(lengths, 0, to).sum();
      int width = 3 * heads * headDim;
      return new Input(
          Arrays.copyOfRange(qkv, first * width, end * width),
          Arrays.copyOfRange(angles, first * headDim / 2, end * headDim / 2),
          Arrays.copyOfRange(lengths, from, to),
          heads,
          headDim);
    }

    Input cutInto(int... other) {
      return new Input(qkv, angles, other, heads, headDim);
    }
  }

  /** The result, [T, H, D], and behind it qkv as the call left it. */
  private static float[] attend(CudaDevice device, DType type, Input in) {
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device);
        UploadRing ring = new UploadRing(stream, 2, 4096)) {
      CudaSegmentAttention attention = new CudaSegmentAttention(device, type);
      long qkv = type == DType.BF16 ? arrays.bf16(in.qkv) : arrays.of(in.qkv);
      long out = arrays.bytes(4L * in.qkv.length);
      PatchTable table =
          attention.table(stream, in.angles, in.headDim, List.of(in.lengths), ring, arrays::bytes);
      attention.attend(stream, table, 0, qkv, in.heads, out);
      stream.synchronize();
      boolean half = type == DType.BF16;
      int count = in.qkv.length / 3;
      float[] both =
          Arrays.copyOf(half ? arrays.widened(out, count) : arrays.floats(out, count), 4 * count);
      float[] rotated = half ? arrays.widened(qkv, 3 * count) : arrays.floats(qkv, 3 * count);
      System.arraycopy(rotated, 0, both, count, 3 * count);
      return both;
    }
  }

  static Stream<Arguments> types() {
    return Stream.of(DType.F32, DType.BF16)
        .flatMap(
            type ->
                Stream.of(
                    Arguments.of(type, RAGGED, 2, 80),
                    Arguments.of(type, WINDOWS, 2, 80),
                    Arguments.of(type, RAGGED, 1, 40),
                    Arguments.of(type, RAGGED, 3, 32),
                    Arguments.of(type, RAGGED, 1, 8),
                    Arguments.of(type, RAGGED, 1, 104),
                    Arguments.of(type, RAGGED, 1, 128)));
  }

  @ParameterizedTest(name = "{0} {1} heads {2} of {3}")
  @MethodSource("types")
  void matchesTheDoubleReference(DType type, int[] lengths, int heads, int headDim) {
    Input in = Input.of(type, lengths, heads, headDim);

    float[] out = EveryOrder.run(device -> attend(device, type, in));

    assertCloseToReference(type, in, out);
  }

  @Test
  void everyHeadDimHasItsKernel() {
    for (int headDim = 8; headDim <= 128; headDim += 8) {
      for (int[] lengths : new int[][] {{20}, {70}}) {
        Input in = Input.of(DType.BF16, lengths, 1, headDim);
        assertCloseToReference(
            DType.BF16, in, EveryOrder.once(device -> attend(device, DType.BF16, in)));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void aSegmentsRowsDependOnTheSegmentAlone(DType type, int[] lengths, int heads, int headDim) {
    Input in = Input.of(type, lengths, heads, headDim);
    float[] all = EveryOrder.once(device -> attend(device, type, in));
    int at = 0;
    for (int i = 0; i < lengths.length; i++) {
      Input part = in.part(i, i + 1); // alone it may take another form of the kernel
      float[] alone = result(EveryOrder.once(device -> attend(device, type, part)));
      EveryOrder.assertSameBits(
          Arrays.copyOfRange(all, at, at + alone.length), alone, "segment " + i);
      at += alone.length;
    }
  }

  @Test
  void otherSegmentsGiveOtherRows() {
    Input in = Input.of(DType.BF16, new int[] {40, 40}, 1, 32);
    float[] two = result(EveryOrder.once(device -> attend(device, DType.BF16, in)));
    float[] one = result(EveryOrder.once(device -> attend(device, DType.BF16, in.cutInto(80))));
    assertThat(one).isNotEqualTo(two);
  }

  @Test
  void oneTableServesWindowsAndWholeFrames() {
    Input windows = Input.of(DType.BF16, new int[] {30, 34, 16}, 2, 40);
    Input frames = windows.cutInto(80);
    float[] both =
        EveryOrder.run(
            device -> {
              try (CudaStream stream = CudaStream.open(device);
                  DeviceArrays arrays = new DeviceArrays(device);
                  UploadRing ring = new UploadRing(stream, 2, 4096)) {
                CudaSegmentAttention attention = new CudaSegmentAttention(device, DType.BF16);
                int count = windows.qkv.length / 3;
                PatchTable table =
                    attention.table(
                        stream,
                        windows.angles,
                        40,
                        List.of(windows.lengths, frames.lengths),
                        ring,
                        arrays::bytes);
                List<Long> outs = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                  long out = arrays.bytes(2L * count);
                  attention.attend(stream, table, i, arrays.bf16(windows.qkv), 2, out);
                  outs.add(out);
                }
                stream.synchronize();
                float[] all = Arrays.copyOf(arrays.widened(outs.get(0), count), 2 * count);
                System.arraycopy(arrays.widened(outs.get(1), count), 0, all, count, count);
                return all;
              }
            });
    float[] first = result(EveryOrder.once(device -> attend(device, DType.BF16, windows)));
    float[] second = result(EveryOrder.once(device -> attend(device, DType.BF16, frames)));
    EveryOrder.assertSameBits(first, Arrays.copyOf(both, first.length), "windows");
    EveryOrder.assertSameBits(
        second, Arrays.copyOfRange(both, first.length, both.length), "frames");
  }

  @Test
  void noPatchesAreNoWork() {
    Input none = Input.of(DType.BF16, new int[0], 2, 80);
    assertThat(EveryOrder.once(device -> attend(device, DType.BF16, none))).isEmpty();
  }

  @Test
  void refusesShapesThatItHasNoKernelFor() {
    Input in = Input.of(DType.BF16, new int[] {4}, 1, 12);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EveryOrder.once(device -> attend(device, DType.BF16, in)))
        .withMessageContaining("head dim 12");
    Input wide = Input.of(DType.BF16, new int[] {4}, 1, 136);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EveryOrder.once(device -> attend(device, DType.BF16, wide)));
    Input uncovered = Input.of(DType.BF16, new int[] {4}, 1, 16).cutInto(3);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EveryOrder.once(device -> attend(device, DType.BF16, uncovered)))
        .withMessageContaining("3 patches in all, but angles for 4");
  }

  private static float[] result(float[] both) {
    return Arrays.copyOf(both, both.length / 4);
  }

  private static void assertCloseToReference(DType type, Input in, float[] both) {
    float[] rotated = rotated(type, in);
    double rounding = type == DType.BF16 ? Tolerance.BF16_ROUNDING : 0;
    assertRotated(in, rotated, rounding);
    int width = in.heads * in.headDim;
    double largest = Tolerance.largest(rotated);
    int start = 0;
    for (int length : in.lengths) {
      double plain = Tolerance.ofAttention(length, in.headDim, largest, largest);
      for (int head = 0; head < in.heads; head++) {
        double[][] k = new double[length][];
        double[][] v = new double[length][];
        double[][] magnitudes = new double[length][in.headDim];
        for (int i = 0; i < length; i++) {
          int row = (start + i) * 3 * width + head * in.headDim;
          k[i] = doubles(rotated, row + width, in.headDim);
          v[i] = doubles(rotated, row + 2 * width, in.headDim);
          for (int d = 0; d < in.headDim; d++) {
            magnitudes[i][d] = Math.abs(v[i][d]);
          }
        }
        for (int i = 0; i < length; i++) {
          double[] q = doubles(rotated, (start + i) * 3 * width + head * in.headDim, in.headDim);
          double[] expected = Reference.attend(q, k, v, length);
          double[] weighted = Reference.attend(q, k, magnitudes, length);
          for (int d = 0; d < in.headDim; d++) {
            float got = both[(start + i) * width + head * in.headDim + d];
            // In bf16 each weight is rounded, and the sum once more.
            double limit = plain + rounding * (weighted[d] + Math.abs(expected[d]));
            assertThat(Math.abs(got - expected[d]))
                .as("patch %d, head %d, component %d: %s", start + i, head, d, got)
                .isLessThanOrEqualTo(limit);
          }
        }
      }
      start += length;
    }
  }

  /** Q, K and V as a call that has a longer segment, too, leaves them: rotated in place. */
  private static float[] rotated(DType type, Input in) {
    int[] lengths = Arrays.copyOf(in.lengths, in.lengths.length + 1);
    lengths[in.lengths.length] = 65;
    Input longer =
        new Input(
            Arrays.copyOf(in.qkv, in.qkv.length + 65 * 3 * in.heads * in.headDim),
            Arrays.copyOf(in.angles, in.angles.length + 65 * in.headDim / 2),
            lengths,
            in.heads,
            in.headDim);
    float[] both = EveryOrder.once(device -> attend(device, type, longer));
    int from = both.length / 4;
    return Arrays.copyOfRange(both, from, from + in.qkv.length);
  }

  /** Q and K turned by the patch's angles, V as it was. */
  private static void assertRotated(Input in, float[] rotated, double rounding) {
    double largest = Tolerance.largest(in.qkv);
    for (int row = 0; row < rotated.length / in.headDim; row++) {
      int from = row * in.headDim;
      int patch = row / (3 * in.heads);
      boolean value = row / in.heads % 3 == 2;
      double[] expected =
          value
              ? doubles(in.qkv, from, in.headDim)
              : Reference.rotate(in.qkv, from, in.turn(patch));
      double steps = value ? 0 : Tolerance.ofSteps(4) * largest;
      for (int d = 0; d < in.headDim; d++) {
        assertThat(Math.abs(rotated[from + d] - expected[d]))
            .as("patch %d, row %d, component %d", patch, row, d)
            .isLessThanOrEqualTo(value ? 0 : steps + rounding * Math.abs(expected[d]));
      }
    }
  }

  private static double[] doubles(float[] values, int from, int count) {
    double[] wide = new double[count];
    for (int i = 0; i < count; i++) {
      wide[i] = values[from + i];
    }
    return wide;
  }
}
