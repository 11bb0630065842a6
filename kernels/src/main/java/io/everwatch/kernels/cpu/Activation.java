// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/** A function of each element; an element's bits depend on its value alone. */
interface Activation extends AutoCloseable {
  /**
   * Of the first {@code width} elements of each of {@code rows} rows that lie {@code stride} apart,
   * gathered to {@code [rows, width]}; input and output may be the same.
   *
   * @param worker number of the calling thread, see {@link CpuThreads.Task}
   */
  void apply(int worker, float[] x, int from, int stride, int rows, int width, float[] to, int at);

  @Override
  void close();

  /** One element in plain Java. */
  interface Function {
    float of(float x);
  }

  /** {@code x / (1 + e^-x)} in plain Java. */
  static Activation plainSilu() {
    return plain(x -> x / (1f + Exp.exp(-x)));
  }

  /** {@code x/2 (1 + erf(x / sqrt 2))} in plain Java. */
  static Activation plainGelu() {
    return plain(x -> (float) (0.5 * x * (1 + Erf.erf(x * Math.sqrt(0.5)))));
  }

  private static Activation plain(Function function) {
    return new Activation() {
      @Override
      public void apply(
          int worker, float[] x, int from, int stride, int rows, int width, float[] to, int at) {
        for (int row = 0; row < rows; row++) {
          for (int c = 0; c < width; c++) {
            to[at + row * width + c] = function.of(x[from + row * stride + c]);
          }
        }
      }

      @Override
      public void close() {}
    };
  }
}
