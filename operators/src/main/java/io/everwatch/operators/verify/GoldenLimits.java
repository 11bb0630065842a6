// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

/**
 * Largest absolute differences that a float32 back end may show against the fixtures of {@code
 * golden/qwen2_5_vl}, from the table in their README. Ids, positions, 8-bit patches and text must
 * be equal.
 */
public final class GoldenLimits {
  /** Whatever is a number of differences, or 8-bit levels. */
  public static final double EXACT = 0;

  /** Normalised pixel values. */
  public static final double PIXELS = 1e-6;

  /** Intermediate results of the vision tower. */
  public static final double VISION_BLOCK = 2e-4;

  /** Rows that the vision tower makes. */
  public static final double VISION_OUTPUT = 5e-5;

  /** Intermediate results of the language model. */
  public static final double HIDDEN = 2e-4;

  public static final double LOGITS = 5e-4;

  /** Probabilities after the sampling rules. */
  public static final double PROBABILITIES = 1e-6;

  private GoldenLimits() {}
}
