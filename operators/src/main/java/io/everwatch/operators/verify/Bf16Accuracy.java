// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Sizes of the differences against those of the numbers; bf16 has three digits. */
final class Bf16Accuracy implements Accuracy {
  @Override
  public boolean choosesTheSame() {
    return false;
  }

  @Override
  public void vision(GoldenReport report, String name, Callable<Beside> numbers) {
    Callable<Beside> once = new Once(numbers);
    report.within(
        name + " rms",
        GoldenLimits.BF16_VISION_RMS,
        () -> Differences.rms(once.call()) / rootMeanSquare(once.call().expected(), 0));
  }

  @Override
  public void logits(GoldenReport report, String name, Callable<Beside> numbers) {
    Callable<Beside> once = new Once(numbers);
    report.within(
        name + " rms",
        GoldenLimits.BF16_LOGITS_RMS,
        () -> Differences.rms(once.call()) / deviation(once.call().expected()));
    report.within(
        name + " largest",
        GoldenLimits.BF16_LOGITS_LARGEST,
        () ->
            Differences.largest(once.call().actual(), once.call().expected())
                / deviation(once.call().expected()));
    report.within(
        name + " other best token",
        GoldenLimits.BF16_OTHER_BEST,
        () -> Differences.otherBest(once.call()));
  }

  /** The fixtures bound nothing here: what comes of it is bounded. */
  @Override
  public void between(GoldenReport report, String name, double limit, Callable<Beside> numbers) {}

  private static double deviation(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return rootMeanSquare(values, sum / values.length);
  }

  private static double rootMeanSquare(float[] values, double mean) {
    double squares = 0;
    for (float value : values) {
      squares += (value - mean) * (value - mean);
    }
    return Math.sqrt(squares / values.length);
  }

  /** Computes at the first call; a failure comes again at each. */
  private static final class Once implements Callable<Beside> {
    private final Callable<Beside> numbers;
    private @Nullable Beside known;

    Once(Callable<Beside> numbers) {
      this.numbers = numbers;
    }

    @Override
    public Beside call() throws Exception {
      Beside both = known;
      if (both == null) {
        both = numbers.call();
        known = both;
      }
      return both;
    }
  }
}
