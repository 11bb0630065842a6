// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.kernels.DType;
import java.util.concurrent.Callable;

/**
 * How the numbers of a back end are held against the fixtures, by the type in which it computes
 * (README of {@code golden/qwen2_5_vl}, "Tolerances").
 */
interface Accuracy {
  static Accuracy of(DType type) {
    return switch (type) {
      case F32 -> new Float32Accuracy();
      case BF16 -> new Bf16Accuracy();
      case F16 ->
          throw new IllegalArgumentException(
              "there are no limits for F16; expected a back end that computes in F32 or BF16");
    };
  }

  /**
   * Numbers beside those of a fixture.
   *
   * @param width numbers in a row
   */
  record Beside(float[] actual, float[] expected, int width) {
    public Beside {
      if (actual.length != expected.length) {
        throw new IllegalStateException(
            "%d numbers, expected %d".formatted(actual.length, expected.length));
      }
    }
  }

  /**
   * Whether the margins between best and second-best score are wide enough for it, so that it must
   * say the fixtures' words; else they are fed to it, and the scores are compared.
   */
  boolean choosesTheSame();

  /** Rows that the vision tower makes. */
  void vision(GoldenReport report, String name, Callable<Beside> numbers);

  /** Scores of all tokens, a row each. */
  void logits(GoldenReport report, String name, Callable<Beside> numbers);

  /**
   * What lies between the layers.
   *
   * @param limit of float32
   */
  void between(GoldenReport report, String name, double limit, Callable<Beside> numbers);
}
