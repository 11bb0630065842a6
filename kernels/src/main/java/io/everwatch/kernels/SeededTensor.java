// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;
import java.util.Objects;

/**
 * A tensor whose values follow from a seed, so that a model of a published shape can be timed where
 * its weights are not at hand. A back end may fill such a tensor on its device; the values are the
 * same everywhere, bit for bit:
 *
 * <pre>{@code
 * z = seed + (i + 1) * 0x9E3779B97F4A7C15            i: index in the tensor, all mod 2^64
 * z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9          Steele et al. 2014, SplitMix64
 * z = (z ^ (z >>> 27)) * 0x94D049BB133111EB
 * z = z ^ (z >>> 31)
 * u = ((z >>> 40) - 2^23) * 2^-23                    24 bits: exact in float32, in [-1, 1)
 * value[i] = offset + scale * u                      float32, one rounding each, never fused
 * }</pre>
 *
 * <p>A device that stores another type rounds the float32 value to nearest, halves to even, as it
 * does for every tensor.
 *
 * @param offset middle of the values
 * @param scale largest distance from it; their standard deviation is {@code scale / sqrt(3)}
 */
public record SeededTensor(String name, List<Long> shape, long seed, float offset, float scale)
    implements TensorSource {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  public SeededTensor {
    shape = List.copyOf(shape);
  }

  @Override
  public void read(long from, float[] to, int at, int count) {
    Objects.checkFromIndexSize(from, count, elements());
    for (int n = 0; n < count; n++) {
      to[at + n] = value(from + n);
    }
  }

  /** The value at {@code index} of the tensor. */
  public float value(long index) {
    long z = seed + (index + 1) * GOLDEN;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    z = z ^ (z >>> 31);
    float unit = ((int) (z >>> 40) - (1 << 23)) * 0x1p-23f;
    return offset + scale * unit;
  }
}
