// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.BitSet;

/**
 * Chooses the next token of a stream from logits on the host: what {@link Backend#sample} computes.
 * Without state; nothing is allocated when greedy.
 */
public final class Sampler {
  private Sampler() {}

  /**
   * The best token, or one drawn by its probability.
   *
   * @param logits of ids 0 to the last one that may be drawn; overwritten
   * @param unused ids that belong to no token and must never be drawn
   * @param seen distinct ids of the retained rows and of this turn's output
   * @return -1 when a logit is not finite
   */
  public static int next(float[] logits, int[] unused, BitSet seen, Draw draw) {
    for (int id : unused) {
      logits[id] = 0; // nobody looks at it
    }
    if (!finite(logits)) {
      return -1;
    }
    for (int id : unused) {
      logits[id] = Float.NEGATIVE_INFINITY;
    }
    SamplingRules rules = draw.rules();
    rules.score(logits, seen);
    if (rules.greedy()) {
      return SamplingRules.argMax(logits);
    }
    return draw(logits, CounterRandom.uniform(draw.seed(), draw.round(), draw.token()));
  }

  /**
   * Inverse of the cumulative softmax at {@code uniform}: weights {@code exp(score - max)} summed
   * in double, in the order of the ids.
   */
  static int draw(float[] scores, double uniform) {
    float max = scores[SamplingRules.argMax(scores)];
    double sum = 0;
    for (float score : scores) {
      sum += weight(score, max);
    }
    double target = uniform * sum;
    double passed = 0;
    int last = 0;
    for (int id = 0; id < scores.length; id++) {
      double weight = weight(scores[id], max);
      if (weight > 0) {
        passed += weight;
        last = id;
        if (passed > target) {
          return id;
        }
      }
    }
    return last; // uniform so near to 1 that the sum was rounded down to it
  }

  private static double weight(float score, float max) {
    return score == Float.NEGATIVE_INFINITY ? 0 : Math.exp((double) score - max);
  }

  private static boolean finite(float[] values) {
    float sum = 0;
    for (float value : values) {
      sum += value * 0f; // NaN once a value is infinite or NaN, whatever the order
    }
    return sum == 0;
  }
}
