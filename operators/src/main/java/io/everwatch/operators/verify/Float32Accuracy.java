// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import java.util.concurrent.Callable;

/** Largest absolute differences. */
final class Float32Accuracy implements Accuracy {
  @Override
  public boolean choosesTheSame() {
    return true;
  }

  @Override
  public void vision(GoldenReport report, String name, Callable<Beside> numbers) {
    between(report, name, GoldenLimits.VISION_OUTPUT, numbers);
  }

  @Override
  public void logits(GoldenReport report, String name, Callable<Beside> numbers) {
    between(report, name, GoldenLimits.LOGITS, numbers);
  }

  @Override
  public void between(GoldenReport report, String name, double limit, Callable<Beside> numbers) {
    report.within(
        name,
        limit,
        () -> {
          Beside both = numbers.call();
          return Differences.largest(both.actual(), both.expected());
        });
  }
}
