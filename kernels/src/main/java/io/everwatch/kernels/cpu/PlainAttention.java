// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.util.Arrays;

/**
 * Attention in plain Java. K is kept transposed ({@code [D, rows]}): scores are then sums of scaled
 * rows, which the compiler vectorises. Scores and softmax in float32, sums over rows in ascending
 * order.
 */
final class PlainAttention implements AttentionKernel {
  private final float[][] scores;

  PlainAttention(int threads) {
    scores = new float[threads][1024];
  }

  @Override
  public String numerics() {
    return "plain java f32";
  }

  @Override
  public KvCopy newCopy(int layers, int kvHeads, int headDim) {
    return new PlainKvCopy(layers, kvHeads, headDim);
  }

  @Override
  public void attend(
      int worker, KvWindow keys, float[] q, int tokens, int group, boolean causal, float[] out) {
    PlainKvCopy copy = (PlainKvCopy) keys.copy();
    float[] s = scores[worker];
    if (s.length < keys.rows()) {
      s = new float[Math.max(keys.rows(), 2 * s.length)];
      scores[worker] = s;
    }
    int headDim = copy.headDim();
    for (int token = 0; token < tokens; token++) {
      int visible = causal ? keys.rows() - tokens + token + 1 : keys.rows();
      for (int head = 0; head < group; head++) {
        int at = (token * group + head) * headDim;
        scores(copy, keys, q, at, visible, s);
        float norm = softmax(s, visible);
        weightedSum(copy, keys, s, visible, norm, out, at);
      }
    }
  }

  /** {@code s[j] = scale * q . k_j}. */
  private static void scores(
      PlainKvCopy copy, KvWindow keys, float[] q, int qAt, int visible, float[] s) {
    float[] k = copy.keys(keys.layer());
    int headDim = copy.headDim();
    int capacity = copy.capacity();
    float scale = (float) (1 / Math.sqrt(headDim));
    Arrays.fill(s, 0, visible, 0f);
    int base = keys.kvHead() * headDim * capacity + keys.first();
    for (int d = 0; d < headDim; d += 2) { // the head dim is even
      float q0 = scale * q[qAt + d];
      float q1 = scale * q[qAt + d + 1];
      int k0 = base + d * capacity;
      int k1 = k0 + capacity;
      for (int j = 0; j < visible; j++) {
        s[j] = s[j] + q0 * k[k0 + j] + q1 * k[k1 + j];
      }
    }
  }

  /** Replaces scores by {@code exp(s - max)}; returns one over their sum. */
  private static float softmax(float[] s, int visible) {
    float max = Float.NEGATIVE_INFINITY;
    for (int j = 0; j < visible; j++) {
      max = Math.max(max, s[j]);
    }
    double sum = 0;
    for (int j = 0; j < visible; j++) {
      float e = Exp.exp(s[j] - max);
      s[j] = e;
      sum += e;
    }
    return (float) (1 / sum);
  }

  private static void weightedSum(
      PlainKvCopy copy, KvWindow keys, float[] p, int visible, float norm, float[] out, int at) {
    float[] v = copy.values(keys.layer());
    int headDim = copy.headDim();
    int stride = copy.width();
    int base = keys.first() * stride + keys.kvHead() * headDim;
    Arrays.fill(out, at, at + headDim, 0f);
    int j = 0;
    for (; j + 2 <= visible; j += 2) {
      float p0 = p[j];
      float p1 = p[j + 1];
      int v0 = base + j * stride;
      int v1 = v0 + stride;
      for (int d = 0; d < headDim; d++) {
        out[at + d] = out[at + d] + p0 * v[v0 + d] + p1 * v[v1 + d];
      }
    }
    if (j < visible) {
      int v0 = base + j * stride;
      for (int d = 0; d < headDim; d++) {
        out[at + d] += p[j] * v[v0 + d];
      }
    }
    for (int d = 0; d < headDim; d++) {
      out[at + d] *= norm;
    }
  }

  @Override
  public void close() {}
}
