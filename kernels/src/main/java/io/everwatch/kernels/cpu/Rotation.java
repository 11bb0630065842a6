// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/** Rotary embedding of one head: pair i is components i and i + D/2. */
final class Rotation {
  private Rotation() {}

  /**
   * Rotates one head.
   *
   * @param x {@code headDim} components at {@code from}
   * @param factors {@code headDim / 2} cosines at {@code f}, then as many sines
   * @param to may be {@code x} at the same place
   */
  static void rotate(float[] x, int from, float[] factors, int f, int headDim, float[] to, int at) {
    int half = headDim / 2;
    for (int i = 0; i < half; i++) {
      float a = x[from + i];
      float b = x[from + half + i];
      float cos = factors[f + i];
      float sin = factors[f + half + i];
      to[at + i] = a * cos - b * sin;
      to[at + half + i] = b * cos + a * sin;
    }
  }
}
