// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.Arrays;
import java.util.BitSet;

/**
 * From the logits of one row to the scores and probabilities of the next token (Qwen2.5-VL
 * specification, section 10): repetition penalty, temperature, top-k, top-p, softmax, in this
 * order. The draw itself is the sampler's business. Pure; float32 like the published model.
 *
 * @param repetitionPenalty 1 = off; positive scores of ids already seen are divided by it, negative
 *     ones multiplied
 * @param temperature 0 = greedy: scores are left as they are, take {@link #argMax}
 * @param topK 0 = off; scores equal to the k-th stay
 * @param topP 1 = off
 */
public record SamplingRules(float repetitionPenalty, float temperature, int topK, float topP) {
  public SamplingRules {
    if (!(repetitionPenalty > 0)
        || !(temperature >= 0)
        || topK < 0
        || !(topP > 0)
        || !(topP <= 1)) {
      throw new IllegalArgumentException(
          "sampling: repetition_penalty %s, temperature %s, top_k %d, top_p %s; "
                  .formatted(repetitionPenalty, temperature, topK, topP)
              + "expected penalty > 0, temperature >= 0 (0 = greedy), top_k >= 0 (0 = off), "
              + "0 < top_p <= 1; mend the model's streaming.json or the job configuration");
    }
  }

  /** Whether the token is the best one rather than drawn. */
  public boolean greedy() {
    return temperature == 0;
  }

  /** The distinct ids of a context, for {@link #score}. */
  public static BitSet distinct(int[] ids) {
    BitSet seen = new BitSet();
    for (int id : ids) {
      seen.set(id);
    }
    return seen;
  }

  /**
   * Turns logits into scores in place; what can no longer be drawn becomes minus infinity.
   *
   * @param logits one row [V]; give fewer than all rows of the embedding to exclude the unused ones
   * @param seen distinct ids of prompt and output so far, pads included; ids beyond the row are
   *     ignored
   */
  public void score(float[] logits, BitSet seen) {
    if (repetitionPenalty != 1) {
      penalise(logits, seen);
    }
    if (greedy()) {
      return;
    }
    if (temperature != 1) {
      for (int i = 0; i < logits.length; i++) {
        logits[i] /= temperature;
      }
    }
    if (topK > 0 && topK < logits.length) {
      keepTopK(logits);
    }
    if (topP < 1) {
      keepTopP(logits);
    }
  }

  private void penalise(float[] scores, BitSet seen) {
    for (int id = seen.nextSetBit(0); id >= 0 && id < scores.length; id = seen.nextSetBit(id + 1)) {
      float score = scores[id];
      scores[id] = score < 0 ? score * repetitionPenalty : score / repetitionPenalty;
    }
  }

  private void keepTopK(float[] scores) {
    float[] best = new float[topK]; // ascending
    Arrays.fill(best, Float.NEGATIVE_INFINITY);
    for (float score : scores) {
      if (score > best[0]) {
        int place = 0;
        while (place + 1 < topK && best[place + 1] < score) {
          best[place] = best[place + 1];
          place++;
        }
        best[place] = score;
      }
    }
    for (int i = 0; i < scores.length; i++) {
      if (scores[i] < best[0]) {
        scores[i] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  /** Drops the longest run of worst tokens with at most {@code 1 - p} of the probability. */
  private void keepTopP(float[] scores) {
    long[] ascending = new long[scores.length]; // score, then index: a stable order
    for (int i = 0; i < scores.length; i++) {
      ascending[i] = ((long) sortable(scores[i]) << 32) | i;
    }
    Arrays.sort(ascending);
    float[] probabilities = probabilities(scores);
    float limit = (float) (1.0 - (double) topP);
    double sum = 0;
    for (int n = 0; n + 1 < ascending.length; n++) { // the best one stays whatever its weight
      int index = (int) ascending[n];
      sum += probabilities[index];
      if ((float) sum > limit) {
        return;
      }
      scores[index] = Float.NEGATIVE_INFINITY;
    }
  }

  /** An int that orders as the float does. */
  private static int sortable(float value) {
    int bits = Float.floatToIntBits(value);
    return bits >= 0 ? bits : bits ^ 0x7fffffff;
  }

  /** Softmax of scores, the sum taken in double in index order; a new array [V]. */
  public static float[] probabilities(float[] scores) {
    float max = scores[argMax(scores)];
    float[] probabilities = new float[scores.length];
    double sum = 0;
    for (int i = 0; i < scores.length; i++) {
      double weight = Math.exp((double) scores[i] - max);
      probabilities[i] = (float) weight;
      sum += weight;
    }
    for (int i = 0; i < scores.length; i++) {
      probabilities[i] = (float) (probabilities[i] / sum);
    }
    return probabilities;
  }

  /** Index of the largest score, the lowest on a tie. */
  public static int argMax(float[] scores) {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      if (scores[i] > scores[best]) {
        best = i;
      }
    }
    return best;
  }
}
