// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.DType;

/** How far a result may lie from the sum in double: a wrong kernel is always fast. */
final class Reference {
  /** Half a step of float32 and of bf16, relative. */
  private static final double FLOAT = 0x1p-24;

  private static final double BF16 = 0x1p-9;

  private Reference() {}

  /** Rounds to nearest, halves to even. */
  static float bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat((bits + 0x7FFF + (bits >>> 16 & 1)) & 0xFFFF0000);
  }

  /**
   * For a sum of {@code terms} products in float32, stored in the back end's type.
   *
   * @param size sum of the terms' magnitudes
   */
  static double bound(Backend backend, double sum, double size, int terms) {
    double store = backend.dtype() == DType.BF16 ? 2 * BF16 * Math.abs(sum) : 0;
    return store + terms * FLOAT * size + 1e-6 * size;
  }

  /**
   * What roundings of the rotated keys and queries and of the probabilities may add to an attended
   * value: a score of size about ten is off by some of its own roundings, a probability by as much.
   *
   * @param size of the attended values, weighted
   */
  static double attended(Backend backend, double size) {
    return size * (backend.dtype() == DType.BF16 ? 16 * BF16 : 1e-4);
  }

  static void require(String what, double found, double expected, double bound) {
    if (!(Math.abs(found - expected) <= bound)) {
      throw new IllegalStateException(
          "%s is %s; expected %s, at most %.3g away; do not trust the timings"
              .formatted(what, found, expected, bound));
    }
  }
}
