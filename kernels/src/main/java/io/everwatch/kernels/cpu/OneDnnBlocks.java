// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/**
 * The library's general product for each run of rows, and its softmax over all of them. Shapes
 * follow from the row block's own lengths and choice alone.
 */
final class OneDnnBlocks implements BlockKernel {
  /** Scores of a query among which its reference is sought, at either end: sink and neighbours. */
  private static final int SAMPLE = 64;

  /** Least share of a reference: far above the numbers that lose digits. */
  private static final float LEAST_SHARE = 1e-30f;

  private final SoftmaxKernels softmax;
  private final Work[] work;

  /** Memory of one thread. */
  private static final class Work {
    NativeMemory q = NativeMemory.allocate(1 << 12, "sparse attention");
    NativeMemory out = NativeMemory.allocate(1 << 12, "sparse attention");
    NativeMemory scores = NativeMemory.allocate(1 << 12, "sparse attention");
    float[] hidden = new float[0]; // minus infinity: what a query does not see
    final float[] sample = new float[SAMPLE];
    int[] reference = new int[0];

    void reserve(int queries, int headDim, int stride) {
      q = enough(q, (long) queries * headDim);
      out = enough(out, (long) queries * headDim);
      scores = enough(scores, (long) SoftmaxKernels.paddedRows(queries) * stride);
      if (stride > hidden.length) {
        hidden = new float[stride + stride / 2];
        Arrays.fill(hidden, Float.NEGATIVE_INFINITY);
      }
      if (queries > reference.length) {
        reference = new int[queries];
      }
    }

    private static NativeMemory enough(NativeMemory memory, long elements) {
      if (elements <= memory.elements()) {
        return memory;
      }
      memory.close();
      return NativeMemory.allocate(elements + elements / 2, "sparse attention");
    }

    float score(long at) {
      scores.get(at, sample, 0, 1);
      return sample[0];
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
  public void probabilities(
      int worker, KvWindow keys, float[] q, int count, int visible, float[] out) {
    OpenMp.oneThread();
    int headDim = ((NativeKvCopy) keys.copy()).headDim();
    int stride = SoftmaxKernels.width(keys.rows());
    Work own = work[worker];
    own.reserve(count, headDim, stride);
    own.q.put(0, q, 0, count * headDim);
    products(own, keys, keys.first(), keys.rows(), count, own.scores.floats(), stride);
    for (int i = 0; i < count; i++) {
      int seen = visible + i;
      own.scores.put((long) i * stride + seen, own.hidden, 0, stride - seen);
    }
    softmax.apply(worker, own.scores, count, stride);
    for (int i = 0; i < count; i++) {
      own.scores.get((long) i * stride, out, i * keys.rows(), keys.rows());
    }
  }

  @Override
  public void attend(
      int worker, KvWindow keys, KeyRuns runs, float[] q, int count, float[] out, float[] lse) {
    OpenMp.oneThread();
    int headDim = ((NativeKvCopy) keys.copy()).headDim();
    int stride = SoftmaxKernels.width(runs.total());
    Work own = work[worker];
    own.reserve(count, headDim, stride);
    own.q.put(0, q, 0, count * headDim);
    int at = 0;
    for (int run = 0; run < runs.runs(); run++) {
      int rows = runs.count()[run];
      products(own, keys, runs.first()[run], rows, count, own.scores.at(at), stride);
      at += rows;
    }
    for (int i = 0; i < count; i++) {
      int visible = runs.visible(i, count);
      long row = (long) i * stride;
      own.reference[i] = reference(own, row, visible);
      lse[i] = own.score(row + own.reference[i]);
      own.scores.put(row + visible, own.hidden, 0, stride - visible);
    }
    softmax.apply(worker, own.scores, count, stride);
    for (int i = 0; i < count; i++) {
      long row = (long) i * stride;
      float share = own.score(row + own.reference[i]); // exp(score - lse)
      lse[i] =
          share >= LEAST_SHARE
              ? lse[i] - (float) Math.log(share)
              : lseByLargest(own, row, runs.visible(i, count), keys, runs, q, i * headDim);
    }
    weightedSum(own, keys, runs, count, stride);
    own.out.get(0, out, 0, count * headDim);
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

  /**
   * Index of a score that has a share in the sum: the largest of a sample. Which one does not
   * matter, and to look at all of them takes a third of the time of attention.
   */
  private static int reference(Work own, long row, int visible) {
    int size = Math.min(SAMPLE, visible);
    own.scores.get(row, own.sample, 0, size);
    int first = largest(own.sample, size);
    float largest = own.sample[first];
    own.scores.get(row + visible - size, own.sample, 0, size);
    int last = largest(own.sample, size);
    return own.sample[last] > largest ? visible - size + last : first;
  }

  /**
   * The logarithm where the whole sample has next to no share.
   *
   * @param row of probabilities
   * @param at of the query
   */
  private static float lseByLargest(
      Work own, long row, int visible, KvWindow keys, KeyRuns runs, float[] q, int at) {
    float[] p = new float[visible];
    own.scores.get(row, p, 0, visible);
    int best = largest(p, visible);
    float[] key = new float[((NativeKvCopy) keys.copy()).headDim()];
    keys.copy().keys(keys.layer(), keys.kvHead(), runs.row(best), 1, key);
    double score = 0;
    for (int d = 0; d < key.length; d++) {
      score += (double) q[at + d] * key[d];
    }
    return (float) (score / Math.sqrt(key.length) - Math.log(p[best]));
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
