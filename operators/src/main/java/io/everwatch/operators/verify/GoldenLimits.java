// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

/**
 * What a back end may show against the fixtures of {@code golden/qwen2_5_vl}, from the table in
 * their README: in float32 largest absolute differences, in bf16 sizes of differences against those
 * of the numbers. Ids, positions, 8-bit patches and text must be equal.
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

  /** Of the tower's rows: rms of the difference against their own. */
  public static final double BF16_VISION_RMS = 0.02;

  /** Rms of the difference against the standard deviation of the logits. */
  public static final double BF16_LOGITS_RMS = 0.03;

  /** Largest difference against the standard deviation of the logits. */
  public static final double BF16_LOGITS_LARGEST = 0.30;

  /** Share of rows with another best token. */
  public static final double BF16_OTHER_BEST = 0.05;

  private GoldenLimits() {}
}
