// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_sgemm;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Attention from the library's general product and its softmax. Shapes follow from the stream's own
 * lengths alone, so a stream's bits do not depend on the batch.
 */
final class OneDnnAttention implements AttentionKernel {
  /** Scores computed at a time: 1 MiB stays in the second-level cache. */
  private static final int TILE_SCORES = 1 << 18;

  /**
   * Queries of a tile at least, however many keys there are: a product of few rows reads all keys
   * for little, 3 queries over 46,000 keys took 2.8 times as long (2026-11-20).
   */
  private static final int TILE_QUERIES = 96;

  private final SoftmaxKernels softmax;
  private final NativeSlabs slabs = new NativeSlabs();
  private final Work[] work;

  /** Memory of one thread. */
  private static final class Work {
    NativeMemory q = NativeMemory.allocate(1 << 12, "attention");
    NativeMemory scores = NativeMemory.allocate(1 << 12, "attention");
    NativeMemory out = NativeMemory.allocate(1 << 12, "attention");
    float[] hidden = new float[0]; // minus infinity: what a token does not see

    void reserve(long queries, long scoreElements, int hiddenRun) {
      if (queries > q.elements()) {
        q.close();
        out.close();
        q = NativeMemory.allocate(2 * queries, "attention");
        out = NativeMemory.allocate(2 * queries, "attention");
      }
      if (scoreElements > scores.elements()) {
        scores.close();
        scores = NativeMemory.allocate(scoreElements + scoreElements / 2, "attention");
      }
      if (hiddenRun > hidden.length) {
        hidden = new float[2 * hiddenRun];
        Arrays.fill(hidden, Float.NEGATIVE_INFINITY);
      }
    }

    void close() {
      q.close();
      scores.close();
      out.close();
    }
  }

  OneDnnAttention(OneDnn library, int threads) {
    softmax = new SoftmaxKernels(library, threads);
    work = new Work[threads];
    for (int i = 0; i < threads; i++) {
      work[i] = new Work();
    }
  }

  @Override
  public KvCopy newCopy(int layers, int kvHeads, int headDim) {
    return new NativeKvCopy(slabs, layers, kvHeads, headDim);
  }

  @Override
  public BlockKernel blocks() {
    return new OneDnnBlocks(softmax, work.length);
  }

  @Override
  public String numerics() {
    return OneDnn.identity() + " f32";
  }

  @Override
  public void attend(
      int worker, KvWindow keys, float[] q, int tokens, int group, boolean causal, float[] out) {
    OpenMp.oneThread();
    int headDim = ((NativeKvCopy) keys.copy()).headDim();
    int tile = tile(group, keys.rows());
    for (int first = 0; first < tokens; first += tile) {
      int count = Math.min(tile, tokens - first);
      int unseen = causal ? tokens - first - count : 0; // rows of later tiles
      tile(
          worker,
          keys,
          keys.rows() - unseen,
          q,
          first * group * headDim,
          count,
          group,
          causal,
          out);
    }
  }

  /** Tokens whose scores are computed together. */
  static int tile(int group, int rows) {
    int least = Math.max(1, TILE_QUERIES / group);
    return (int) Math.max(least, TILE_SCORES / ((long) group * rows));
  }

  /** Queries {@code [count, group, D]} at {@code at} over the window's first {@code rows} rows. */
  private void tile(
      int worker,
      KvWindow keys,
      int rows,
      float[] q,
      int at,
      int count,
      int group,
      boolean causal,
      float[] out) {
    NativeKvCopy copy = (NativeKvCopy) keys.copy();
    int headDim = copy.headDim();
    int queries = count * group;
    int stride = SoftmaxKernels.width(rows);
    Work own = work[worker];
    own.reserve(
        (long) queries * headDim,
        (long) SoftmaxKernels.paddedRows(queries) * stride,
        stride - rows + count);
    own.q.put(0, q, at, queries * headDim);
    FloatPointer scores = own.scores.floats();
    long column = (long) keys.first() * copy.width() + (long) keys.kvHead() * headDim;
    float scale = (float) (1 / Math.sqrt(headDim));
    gemm(
        'T',
        queries,
        rows,
        headDim,
        scale,
        own.q.floats(),
        headDim,
        copy.keys(keys.layer(), column),
        copy.width(),
        0f,
        scores,
        stride);
    for (int i = 0; i < count; i++) {
      int visible = causal ? rows - count + i + 1 : rows;
      for (int head = 0; head < group && visible < stride; head++) {
        long row = (long) (i * group + head) * stride;
        own.scores.put(row + visible, own.hidden, 0, stride - visible);
      }
    }
    softmax.apply(worker, own.scores, queries, stride);
    gemm(
        'N',
        queries,
        headDim,
        rows,
        1f,
        scores,
        stride,
        copy.values(keys.layer(), column),
        copy.width(),
        0f,
        own.out.floats(),
        headDim);
    own.out.get(0, out, at, queries * headDim);
  }

  /**
   * {@code c [m, n] = alpha a [m, k] b + beta c}, b {@code [k, n]}, or {@code [n, k]} transposed.
   */
  static void gemm(
      char transposed,
      int m,
      int n,
      int k,
      float alpha,
      FloatPointer a,
      int aStride,
      FloatPointer b,
      int bStride,
      float beta,
      FloatPointer c,
      int cStride) {
    int status =
        dnnl_sgemm(
            (byte) 'N',
            (byte) transposed,
            m,
            n,
            k,
            alpha,
            a,
            aStride,
            b,
            bStride,
            beta,
            c,
            cStride);
    if (status != 0) {
      OneDnn.check(status, "dnnl_sgemm [%d, %d, %d]".formatted(m, n, k));
    }
  }

  @Override
  public void close() {
    softmax.close();
    slabs.close();
    for (Work one : work) {
      one.close();
    }
  }
}
