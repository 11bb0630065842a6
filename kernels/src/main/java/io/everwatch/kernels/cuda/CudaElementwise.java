// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;

/**
 * Launches {@code elementwise.cu}: embedding, moved rows, RMSNorm, SwiGLU, GELU. Shapes: T rows, C
 * width, F feed-forward width, V table rows; A is the activation type. Addresses are aligned to 16
 * bytes and widths are multiples of four, or it is an {@link IllegalArgumentException}; zero rows
 * launch nothing.
 *
 * <p>One thread at a time.
 */
final class CudaElementwise {
  private static final int WARP = 32;
  private static final int MOST_THREADS = 1024;
  private static final int BLOCK = 256;
  private static final int QUAD = 4; // elements of one load
  private static final int WORD_BYTES = 8; // gather_rows and scatter_rows

  private final Kernel embed;
  private final Kernel gather;
  private final Kernel scatter;
  private final Kernel rmsNorm;
  private final Kernel swiGlu;
  private final Kernel gelu;

  /**
   * @param activation A, F32 or BF16
   */
  CudaElementwise(CudaDevice device, DType activation) {
    KernelModule module = KernelModule.load(device, "elementwise");
    String suffix = Launches.suffix(activation);
    embed = module.kernel("embed" + suffix);
    gather = module.kernel("gather_rows");
    scatter = module.kernel("scatter_rows");
    rmsNorm = module.kernel("rms_norm" + suffix);
    swiGlu = module.kernel("swi_glu" + suffix);
    gelu = module.kernel("gelu" + suffix);
  }

  /**
   * {@code out[t] = table[ids[t]]}.
   *
   * @param table [V, C] of A
   * @param ids address of [T] ints, all in [0, V) for live rows
   * @param live address of the number of live rows, whose successors become zero; 0: all are live
   * @param out [T, C] f32
   */
  void embed(CudaStream stream, long table, long ids, long live, int tokens, int width, long out) {
    quads("embed", tokens, width);
    Launches.aligned("embed", table, out);
    if (tokens > 0) {
      embed.launch(
          stream,
          tokens,
          1,
          1,
          threads(width / QUAD, BLOCK),
          0,
          embed.args().pointer(table).pointer(ids).pointer(live).pointer(out).i32(width));
    }
  }

  /**
   * {@code out[i] = x[rows[i]]} for rows of any type.
   *
   * @param rows address of {@code count} ints
   * @param rowBytes a multiple of 8
   */
  void gather(CudaStream stream, long x, long rows, int count, long rowBytes, long out) {
    move(gather, "gather", stream, x, rows, count, rowBytes, out);
  }

  /** {@code out[rows[i]] = x[i]}, the rows distinct; else as {@link #gather}. */
  void scatter(CudaStream stream, long x, long rows, int count, long rowBytes, long out) {
    move(scatter, "scatter", stream, x, rows, count, rowBytes, out);
  }

  private static void move(
      Kernel kernel,
      String operation,
      CudaStream stream,
      long x,
      long rows,
      int count,
      long rowBytes,
      long out) {
    if (count < 0 || rowBytes < 0 || rowBytes % WORD_BYTES != 0) {
      throw new IllegalArgumentException(
          "%s: %d rows of %d bytes; expected rows of a multiple of %d bytes"
              .formatted(operation, count, rowBytes, WORD_BYTES));
    }
    Launches.aligned(operation, x, out);
    int words = Math.toIntExact(rowBytes / WORD_BYTES);
    if (count > 0) {
      kernel.launch(
          stream,
          count,
          1,
          1,
          threads(words, BLOCK),
          0,
          kernel.args().pointer(x).pointer(rows).pointer(out).i32(words));
    }
  }

  /**
   * {@code out[t] = gain * x[t] / sqrt(mean(x[t]^2) + eps)}. The number of threads, and with it the
   * order of the sum, follows from the width alone.
   *
   * @param x [T, C] f32
   * @param gain [C] f32
   * @param out [T, C] of A
   */
  void rmsNorm(CudaStream stream, long x, long gain, float eps, int tokens, int width, long out) {
    quads("rmsNorm", tokens, width);
    Launches.aligned("rmsNorm", x, gain, out);
    if (tokens > 0) {
      rmsNorm.launch(
          stream,
          tokens,
          1,
          1,
          threads(width / QUAD, MOST_THREADS),
          0,
          rmsNorm.args().pointer(x).pointer(gain).pointer(out).i32(width).f32(eps));
    }
  }

  /**
   * {@code out[t] = silu(gateUp[t, 0:F]) * gateUp[t, F:2F]}.
   *
   * @param gateUp [T, 2F] of A
   * @param out [T, F] of A
   */
  void swiGlu(CudaStream stream, long gateUp, int tokens, int width, long out) {
    quads("swiGlu", tokens, width);
    Launches.aligned("swiGlu", gateUp, out);
    int block = threads(width / QUAD, BLOCK);
    if (tokens > 0 && width > 0) {
      swiGlu.launch(
          stream,
          tokens,
          Launches.ceil(width / QUAD, block),
          1,
          block,
          0,
          swiGlu.args().pointer(gateUp).pointer(out).i32(width));
    }
  }

  /** Exact (erf) GELU in place over {@code elements} of A, a multiple of four. */
  void gelu(CudaStream stream, long x, long elements) {
    if (elements < 0 || elements % QUAD != 0 || elements / QUAD > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "gelu: %d elements; expected a multiple of %d below 2^33".formatted(elements, QUAD));
    }
    Launches.aligned("gelu", x);
    int quads = (int) (elements / QUAD);
    if (quads > 0) {
      gelu.launch(
          stream, Launches.ceil(quads, BLOCK), 1, 1, BLOCK, 0, gelu.args().pointer(x).i32(quads));
    }
  }

  private static void quads(String operation, int tokens, int width) {
    if (tokens < 0 || width < 0 || width % QUAD != 0) {
      throw new IllegalArgumentException(
          "%s: %d rows of width %d; expected a width in multiples of %d on this back end"
              .formatted(operation, tokens, width, QUAD));
    }
  }

  /** Whole warps for {@code units} pieces of work, one to {@code most} threads. */
  private static int threads(int units, int most) {
    return Math.min(most, Math.max(1, Launches.ceil(units, WARP)) * WARP);
  }
}
