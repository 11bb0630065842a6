// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplingRulesTest {
  private static final float GONE = Float.NEGATIVE_INFINITY;

  @Test
  void penalisesEachSeenIdOnceAndIgnoresIdsBeyondTheRow() {
    float[] scores = {4, -4, 1, -1};

    new SamplingRules(2, 0, 0, 1).score(scores, SamplingRules.distinct(new int[] {0, 1, 0, 1, 9}));

    assertThat(scores).containsExactly(2, -8, 1, -1);
  }

  @Test
  void greedyLeavesScoresAlone() {
    float[] scores = {1, 2, 3};

    new SamplingRules(1, 0, 1, 0.1f).score(scores, SamplingRules.distinct(new int[0]));

    assertThat(scores).containsExactly(1, 2, 3);
    assertThat(SamplingRules.argMax(new float[] {1, 3, 3})).isEqualTo(1);
  }

  @Test
  void topKKeepsTiesWithTheLastPlace() {
    float[] scores = {1, 5, 3, 3, 2};

    new SamplingRules(1, 1, 2, 1).score(scores, SamplingRules.distinct(new int[0]));

    assertThat(scores).containsExactly(GONE, 5, 3, 3, GONE);
  }

  @Test
  void topPAlwaysKeepsTheBest() {
    float[] scores = {-3, 10, -100, 1};

    new SamplingRules(1, 1, 0, 1e-6f).score(scores, SamplingRules.distinct(new int[0]));

    assertThat(scores).containsExactly(GONE, 10, GONE, GONE);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 50, 511})
  void topKEqualsSorting(int k) {
    float[] scores = new float[512];
    Random random = new Random(k);
    for (int i = 0; i < scores.length; i++) {
      scores[i] = random.nextInt(200) / 7f - 10; // ties on purpose
    }
    float[] sorted = scores.clone();
    java.util.Arrays.sort(sorted);
    float[] expected = scores.clone();
    for (int i = 0; i < expected.length; i++) {
      expected[i] = expected[i] < sorted[512 - k] ? GONE : expected[i];
    }

    new SamplingRules(1, 1, k, 1).score(scores, SamplingRules.distinct(new int[0]));

    assertThat(scores).containsExactly(expected);
  }

  @Test
  void probabilitiesOfHugeScoresAreFinite() {
    assertThat(SamplingRules.probabilities(new float[] {3e38f, GONE, 3e38f}))
        .containsExactly(0.5f, 0, 0.5f);
  }

  @Test
  void refusesImpossibleRules() {
    assertThatThrownBy(() -> new SamplingRules(0, 1, 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("repetition_penalty 0.0");
    assertThatThrownBy(() -> new SamplingRules(1, Float.NaN, 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new SamplingRules(1, 1, 0, 1.5f))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
