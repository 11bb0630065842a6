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
  public BlockKernel blocks() {
    return new PlainBlocks(scores.length);
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
        scores(copy, keys, keys.first(), q, at, s, 0, visible);
        double sum = exponentials(s, visible, largest(s, visible));
        Arrays.fill(out, at, at + headDim, 0f);
        addValues(copy, keys, keys.first(), s, 0, visible, out, at);
        float norm = (float) (1 / sum);
        for (int d = at; d < at + headDim; d++) {
          out[d] *= norm;
        }
      }
    }
  }

  /**
   * {@code s[sAt + j] = scale * q . k_(first + j)} for {@code count} rows.
   *
   * @param keys whose layer and head
   */
  static void scores(
      PlainKvCopy copy,
      KvWindow keys,
      int first,
      float[] q,
      int qAt,
      float[] s,
      int sAt,
      int count) {
    float[] k = copy.keys(keys.layer());
    int headDim = copy.headDim();
    int capacity = copy.capacity();
    float scale = (float) (1 / Math.sqrt(headDim));
    Arrays.fill(s, sAt, sAt + count, 0f);
    int base = keys.kvHead() * headDim * capacity + first;
    for (int d = 0; d < headDim; d += 2) { // the head dim is even
      float q0 = scale * q[qAt + d];
      float q1 = scale * q[qAt + d + 1];
      int k0 = base + d * capacity;
      int k1 = k0 + capacity;
      for (int j = 0; j < count; j++) {
        s[sAt + j] = s[sAt + j] + q0 * k[k0 + j] + q1 * k[k1 + j];
      }
    }
  }

  static float largest(float[] s, int count) {
    float max = Float.NEGATIVE_INFINITY;
    for (int j = 0; j < count; j++) {
      max = Math.max(max, s[j]);
    }
    return max;
  }

  /** Replaces scores by {@code exp(s - max)}; returns their sum. */
  static double exponentials(float[] s, int count, float max) {
    double sum = 0;
    for (int j = 0; j < count; j++) {
      float e = Exp.exp(s[j] - max);
      s[j] = e;
      sum += e;
    }
    return sum;
  }

  /** {@code out += p[pAt + j] * v_(first + j)} for {@code count} rows. */
  static void addValues(
      PlainKvCopy copy,
      KvWindow keys,
      int first,
      float[] p,
      int pAt,
      int count,
      float[] out,
      int at) {
    float[] v = copy.values(keys.layer());
    int headDim = copy.headDim();
    int stride = copy.width();
    int base = first * stride + keys.kvHead() * headDim;
    int j = 0;
    for (; j + 2 <= count; j += 2) {
      float p0 = p[pAt + j];
      float p1 = p[pAt + j + 1];
      int v0 = base + j * stride;
      int v1 = v0 + stride;
      for (int d = 0; d < headDim; d++) {
        out[at + d] = out[at + d] + p0 * v[v0 + d] + p1 * v[v1 + d];
      }
    }
    if (j < count) {
      int v0 = base + j * stride;
      for (int d = 0; d < headDim; d++) {
        out[at + d] += p[pAt + j] * v[v0 + d];
      }
    }
  }

  @Override
  public void close() {}
}
