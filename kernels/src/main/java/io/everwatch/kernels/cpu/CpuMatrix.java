// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Matrix;

/** Weights in the layout of the product that multiplies with them. */
interface CpuMatrix extends Matrix, AutoCloseable {
  /**
   * {@code y[t] = x[t] w^T} for x {@code [tokens, columns]} at {@code x[xFrom..]} and y {@code
   * [tokens, rows]} at {@code y[yFrom..]}, which must not overlap. The bits of {@code y[t]} depend
   * on {@code x[t]} alone.
   */
  void multiply(float[] x, int xFrom, int tokens, float[] y, int yFrom);

  /** Frees what lies outside the heap. */
  @Override
  void close();
}
