// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.util.Arrays;

/** {@link PlainAttention}, run by run. */
final class PlainBlocks implements BlockKernel {
  private final float[][] scores;

  PlainBlocks(int threads) {
    scores = new float[threads][1024];
  }

  @Override
  public void probabilities(
      int worker, KvWindow keys, float[] q, int count, int visible, float[] out) {
    PlainKvCopy copy = (PlainKvCopy) keys.copy();
    float[] s = scores(worker, keys.rows());
    for (int i = 0; i < count; i++) {
      int seen = visible + i;
      PlainAttention.scores(copy, keys, keys.first(), q, i * copy.headDim(), s, 0, seen);
      double sum = PlainAttention.exponentials(s, seen, PlainAttention.largest(s, seen));
      float norm = (float) (1 / sum);
      int row = i * keys.rows();
      for (int j = 0; j < seen; j++) {
        out[row + j] = s[j] * norm;
      }
      Arrays.fill(out, row + seen, row + keys.rows(), 0f);
    }
  }

  private float[] scores(int worker, int rows) {
    if (scores[worker].length < rows) {
      scores[worker] = new float[rows + rows / 2];
    }
    return scores[worker];
  }

  @Override
  public void attend(
      int worker, KvWindow keys, KeyRuns runs, float[] q, int count, float[] out, float[] lse) {
    PlainKvCopy copy = (PlainKvCopy) keys.copy();
    float[] s = scores(worker, runs.total());
    int headDim = copy.headDim();
    for (int i = 0; i < count; i++) {
      int visible = runs.visible(i, count);
      int at = 0;
      for (int run = 0; run < runs.runs() && at < visible; run++) {
        int rows = Math.min(runs.count()[run], visible - at);
        PlainAttention.scores(copy, keys, runs.first()[run], q, i * headDim, s, at, rows);
        at += rows;
      }
      float max = PlainAttention.largest(s, visible);
      double sum = PlainAttention.exponentials(s, visible, max);
      lse[i] = (float) (max + Math.log(sum));
      Arrays.fill(out, i * headDim, (i + 1) * headDim, 0f);
      at = 0;
      for (int run = 0; run < runs.runs() && at < visible; run++) {
        int rows = Math.min(runs.count()[run], visible - at);
        PlainAttention.addValues(copy, keys, runs.first()[run], s, at, rows, out, i * headDim);
        at += rows;
      }
      float norm = (float) (1 / sum);
      for (int d = i * headDim; d < (i + 1) * headDim; d++) {
        out[d] *= norm;
      }
    }
  }

  @Override
  public void close() {}
}
