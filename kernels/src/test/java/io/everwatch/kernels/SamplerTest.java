// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final SamplingRules GREEDY = new SamplingRules(1, 0, 0, 1);

  private static int next(float[] logits, SamplingRules rules, BitSet seen, int token) {
    return Sampler.next(logits.clone(), new int[] {}, seen, new Draw(rules, 7, 3, token));
  }

  private static int next(float[] logits, int[] unused, SamplingRules rules, int token) {
    return Sampler.next(logits.clone(), unused, new BitSet(), new Draw(rules, 7, 3, token));
  }

  @Test
  void takesTheLowestIdOfTheBestWhenGreedy() {
    assertThat(next(new float[] {1, 3, 2, 3}, GREEDY, new BitSet(), 0)).isEqualTo(1);
  }

  @Test
  void penalisesWhatWasSeenBeforeItChooses() {
    BitSet seen = new BitSet();
    seen.set(1);
    assertThat(next(new float[] {2.9f, 3}, new SamplingRules(1.05f, 0, 0, 1), seen, 0)).isZero();
    seen.clear();
    assertThat(next(new float[] {2.9f, 3}, new SamplingRules(1.05f, 0, 0, 1), seen, 0)).isOne();
  }

  @Test
  void refusesLogitsThatAreNotFinite() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      assertThat(next(new float[] {1, bad, 0}, GREEDY, new BitSet(), 0)).isEqualTo(-1);
    }
  }

  @Test
  void doesNotLookAtTheLogitOfAnIdThatBelongsToNoToken() {
    float[] logits = {1, Float.NaN, 2, Float.POSITIVE_INFINITY};
    assertThat(next(logits, new int[] {1, 3}, GREEDY, 0)).isEqualTo(2);
  }

  @Test
  void neverTakesAnIdThatBelongsToNoToken() {
    int[] unused = {1, 3};
    float[] logits = {1, 9, 2, 9};
    assertThat(next(logits, unused, GREEDY, 0)).isEqualTo(2);
    SamplingRules drawn = new SamplingRules(1, 1, 0, 1);
    for (int i = 0; i < 500; i++) {
      assertThat(next(logits, unused, drawn, i) % 2).isZero();
    }
  }

  @Test
  void drawsInProportionToTheProbabilities() {
    float[] logits = {0, (float) Math.log(2), (float) Math.log(5), -30};
    SamplingRules rules = new SamplingRules(1, 1, 0, 1);
    int draws = 20_000;
    int[] counts = new int[4];
    for (int i = 0; i < draws; i++) {
      counts[next(logits, rules, new BitSet(), i)]++;
    }
    double[] expected = {1 / 8.0, 2 / 8.0, 5 / 8.0};
    for (int id = 0; id < 3; id++) {
      double p = expected[id];
      double sigma = Math.sqrt(p * (1 - p) / draws);
      assertThat(counts[id] / (double) draws).as("id %d", id).isCloseTo(p, within(5 * sigma));
    }
    assertThat(counts[3]).isZero();
  }

  @Test
  void drawsNothingThatTheRulesRemoved() {
    float[] logits = {0, 0.1f, 0.2f, 0.3f};
    for (int i = 0; i < 500; i++) {
      assertThat(next(logits, new SamplingRules(1, 0.9f, 2, 1), new BitSet(), i))
          .isGreaterThanOrEqualTo(2);
    }
  }

  @Test
  void drawsTheLastPossibleIdAtTheVeryEnd() {
    float[] scores = {0, 0, Float.NEGATIVE_INFINITY};
    assertThat(Sampler.draw(scores, Math.nextDown(1.0))).isEqualTo(1);
    assertThat(Sampler.draw(scores, 0)).isZero();
    assertThat(Sampler.draw(new float[] {Float.NEGATIVE_INFINITY, 1}, 0)).isEqualTo(1);
  }
}
