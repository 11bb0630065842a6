// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FlatnessTest {
  @Test
  void forgivesTheWarmUpAndOnePeak() {
    assertThat(of(i -> i < 10 ? i : 10).flat()).isTrue();
    assertThat(of(i -> i == 90 ? 1000 : 10).flat()).isTrue();
  }

  @Test
  void findsWhatGrowsSlowly() {
    assertThat(of(i -> 100 + 0.2 * i).flat()).as("a tenth over the run").isFalse();
    assertThat(of(i -> i < 80 ? 100 : 110).flat()).as("a step").isFalse();
  }

  @Test
  void comparesTheFloorOfWhatSwings() {
    assertThat(floorOf(i -> 100 + 50 * (i * 7 % 11)).flat()).isTrue();
    assertThat(floorOf(i -> 100 + 0.2 * i + 50 * (i * 7 % 11)).flat()).isFalse();
  }

  @Test
  void allowsNoMoreThanTheTolerance() {
    assertThat(of(i -> i < 50 ? 100 : 104.9).flat()).isTrue();
    assertThat(of(i -> i < 50 ? 100 : 105.1).flat()).isFalse();
  }

  @Test
  void isNotSaidOfTooFewSamples() {
    assertThat(Flatness.of("few", Collections.nCopies(9, 1.0), 0.05).flat()).isFalse();
  }

  @Test
  void isNotSaidOfAFigureThatWasMissing() {
    assertThat(of(i -> Double.NaN).flat()).isFalse();
  }

  @Test
  void takesMedianAndNearestRank() {
    assertThat(Flatness.median(List.of(3.0, 1.0, 2.0, 10.0))).isEqualTo(2.5);
    assertThat(Flatness.percentile(List.of(3.0, 1.0, 2.0, 10.0), 95)).isEqualTo(10);
    assertThat(Flatness.percentile(List.of(3.0, 1.0, 2.0, 10.0), 50)).isEqualTo(2);
  }

  private static Flatness floorOf(IntToDoubleFunction figure) {
    return Flatness.ofFloor(
        "figure", IntStream.range(0, 100).mapToDouble(figure).boxed().toList(), 0.05);
  }

  private static Flatness of(IntToDoubleFunction figure) {
    return Flatness.of(
        "figure", IntStream.range(0, 100).mapToDouble(figure).boxed().toList(), 0.05);
  }
}
