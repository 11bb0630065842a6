// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/**
 * The library's general product for each run of rows, and its softmax over all of them. Shapes
 * follow from the row block's own lengths and choice alone.
 */
final class OneDnnBlocks implements BlockKernel {
  /** Scores computed at a time: 1 MiB stays in the second-level cache. */
  private static final int TILE_SCORES = 1 << 18;

  private final SoftmaxKernels softmax;
  private final Work[] work;

  /** Memory of one thread. */
  private static final class Work {
    NativeMemory q = NativeMemory.allocate(1 << 12, "sparse attention");
    NativeMemory out = NativeMemory.allocate(1 << 12, "sparse attention");
    NativeMemory scores = NativeMemory.allocate(1 << 12, "sparse attention");
    float[] row = new float[0];

    void reserve(long queries, long scoreElements, int rowElements) {
      q = enough(q, queries);
      out = enough(out, queries);
      scores = enough(scores, scoreElements);
      if (rowElements > row.length) {
        row = new float[rowElements + rowElements / 2];
      }
    }

    private static NativeMemory enough(NativeMemory memory, long elements) {
      if (elements <= memory.elements()) {
        return memory;
      }
      memory.close();
      return NativeMemory.allocate(elements + elements / 2, "sparse attention");
    }

    void close() {
      q.close();
      out.close();
      scores.close();
    }
  }

  /** The softmax stays the caller's to close. */
  OneDnnBlocks(SoftmaxKernels softmax, int threads) {
    this.softmax = softmax;
    work = new Work[threads];
    for (int i = 0; i < threads; i++) {
      work[i] = new Work();
    }
  }

  @Override
  public void scores(int worker, KvWindow keys, float[] q, int count, float[] out) {
    OpenMp.oneThread();
    int headDim = ((NativeKvCopy) keys.copy()).headDim();
    long elements = (long) count * keys.rows();
    Work own = work[worker];
    own.reserve((long) count * headDim, elements, 0);
    own.q.floats().put(q, 0, count * headDim);
    FloatPointer scores = own.scores.floats();
    products(own, keys, keys.first(), keys.rows(), count, scores, keys.rows());
    scores.get(out, 0, Math.toIntExact(elements));
  }

  @Override
  public void attend(
      int worker, KvWindow keys, KeyRuns runs, float[] q, int count, float[] out, float[] lse) {
    OpenMp.oneThread();
    int tile = Math.max(1, TILE_SCORES / runs.total());
    for (int first = 0; first < count; first += tile) {
      tile(worker, keys, runs, q, first, Math.min(tile, count - first), count, out, lse);
    }
  }

  /** Queries {@code [from, from + count)} of the row block's {@code all}. */
  private void tile(
      int worker,
      KvWindow keys,
      KeyRuns runs,
      float[] q,
      int from,
      int count,
      int all,
      float[] out,
      float[] lse) {
    NativeKvCopy copy = (NativeKvCopy) keys.copy();
    int headDim = copy.headDim();
    int stride = SoftmaxKernels.width(runs.total());
    Work own = work[worker];
    own.reserve((long) count * headDim, (long) SoftmaxKernels.paddedRows(count) * stride, stride);
    own.q.floats().put(q, from * headDim, count * headDim);
    int at = 0;
    for (int run = 0; run < runs.runs(); run++) {
      int rows = runs.count()[run];
      products(own, keys, runs.first()[run], rows, count, own.scores.at(at), stride);
      at += rows;
    }
    int[] best = new int[count];
    for (int i = 0; i < count; i++) {
      int visible = runs.visible(from + i, all);
      FloatPointer row = own.scores.at((long) i * stride);
      row.get(own.row, 0, visible);
      best[i] = largest(own.row, visible);
      lse[from + i] = own.row[best[i]];
      Arrays.fill(own.row, visible, stride, Float.NEGATIVE_INFINITY);
      own.scores.at((long) i * stride + visible).put(own.row, visible, stride - visible);
    }
    softmax.apply(worker, own.scores, count, stride);
    for (int i = 0; i < count; i++) { // the largest score's share is one over the sum
      lse[from + i] -= (float) Math.log(own.scores.floats().get((long) i * stride + best[i]));
    }
    weightedSum(own, keys, runs, count, stride);
    own.out.floats().get(out, from * headDim, count * headDim);
  }

  /** {@code scores [count, rows] = q k^T / sqrt(D)}. */
  private static void products(
      Work own, KvWindow keys, int first, int rows, int count, FloatPointer scores, int stride) {
    NativeKvCopy copy = (NativeKvCopy) keys.copy();
    int headDim = copy.headDim();
    OneDnnAttention.gemm(
        'T',
        count,
        rows,
        headDim,
        (float) (1 / Math.sqrt(headDim)),
        own.q.floats(),
        headDim,
        copy.keys(keys.layer(), column(copy, keys, first)),
        copy.width(),
        0f,
        scores,
        stride);
  }

  private static void weightedSum(Work own, KvWindow keys, KeyRuns runs, int count, int stride) {
    NativeKvCopy copy = (NativeKvCopy) keys.copy();
    int headDim = copy.headDim();
    int at = 0;
    for (int run = 0; run < runs.runs(); run++) {
      OneDnnAttention.gemm(
          'N',
          count,
          headDim,
          runs.count()[run],
          1f,
          own.scores.at(at),
          stride,
          copy.values(keys.layer(), column(copy, keys, runs.first()[run])),
          copy.width(),
          run == 0 ? 0f : 1f,
          own.out.floats(),
          headDim);
      at += runs.count()[run];
    }
  }

  /** Where a row of the head lies in a layer's K or V. */
  private static long column(NativeKvCopy copy, KvWindow keys, int row) {
    return (long) row * copy.width() + (long) keys.kvHead() * copy.headDim();
  }

  /** Index of the largest; the last where none is a number. */
  private static int largest(float[] values, int count) {
    int at = count - 1;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      if (values[i] > max) { // hardly ever, so the loop waits for nothing
        max = values[i];
        at = i;
      }
    }
    return at;
  }

  @Override
  public void close() {
    for (Work one : work) {
      one.close();
    }
  }
}
