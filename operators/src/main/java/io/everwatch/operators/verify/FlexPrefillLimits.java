// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.kernels.DType;

/**
 * What a back end may show against the fixtures of {@code golden/flexprefill}, from the table in
 * their README. Patterns and budgets must be equal.
 *
 * @param distance of the estimate from the probe
 * @param mass by column and by offset
 * @param estimate of the pooled map
 * @param outRelative relative L2 of a head's outputs, with the prescribed blocks
 * @param outLargest largest difference of an output
 */
record FlexPrefillLimits(
    double distance, double mass, double estimate, double outRelative, double outLargest) {
  /** Keys or distances that cover gamma. */
  static final double TOKENS = 1;

  /** Log-sum-exp, with the prescribed blocks. */
  static final double LSE = 1e-3;

  static FlexPrefillLimits of(DType type) {
    return switch (type) {
      case F32 -> new FlexPrefillLimits(1e-4, 1e-5, 1e-5, 5e-4, 2e-3);
      case BF16 -> new FlexPrefillLimits(5e-3, 1e-4, 5e-3, 5e-3, 2e-2);
      case F16 ->
          throw new IllegalArgumentException(
              "there are no limits for F16; expected a back end that computes in F32 or BF16");
    };
  }
}
