// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sections 4.2 to 4.4 and the cut of 4.6, on small lists. */
class HeaviestTest {
  private static final float NAN = Float.NaN;

  private static List<Integer> within(double limit, float... mass) {
    List<Integer> kept = new ArrayList<>();
    Heaviest.within(mass, limit, kept::add);
    return kept;
  }

  @Test
  void coverCountsWhatStaysWithinGammaAndOneMore() {
    float[] mass = {0.125f, 0.5f, 0.25f, 0.125f};
    assertThat(Heaviest.cover(mass, 0.4)).isEqualTo(1);
    assertThat(Heaviest.cover(mass, 0.5)).isEqualTo(2); // exactly gamma is within
    assertThat(Heaviest.cover(mass, 0.8)).isEqualTo(3);
    assertThat(Heaviest.cover(mass, 0.99)).isEqualTo(4);
    assertThat(Heaviest.cover(new float[] {NAN, 1}, 0.9)).isEqualTo(1);
  }

  @Test
  void runningTotalsLoseNoDigitsToManySmallMasses() {
    float[] mass = new float[1 << 20];
    Arrays.fill(mass, 0x1p-20f);
    mass[7] = 0x1.000002p-20f; // in float32 the total would stop counting such differences
    assertThat(Heaviest.cover(mass, 0.75)).isEqualTo(3 << 18);
  }

  @Test
  void theFirstIsAlwaysAmongTheHeaviestAndTakesAPlace() {
    float[] mass = {0, 0.1f, 0.5f, 0.1f, 0.3f};
    assertThat(Heaviest.withFirst(mass, 1)).containsExactly(0);
    assertThat(Heaviest.withFirst(mass, 2)).containsExactly(0, 2);
    assertThat(Heaviest.withFirst(mass, 3)).containsExactly(0, 2, 4);
    assertThat(Heaviest.withFirst(mass, 4)).containsExactly(0, 1, 2, 4); // lower index first
    assertThat(Heaviest.withFirst(mass, 99)).containsExactly(0, 1, 2, 3, 4);
    assertThat(mass[0]).isZero();
  }

  @Test
  void theEntryThatWouldCrossTheLimitIsLeftOut() {
    assertThat(within(0.8, 0.5f, 0.25f, 0.25f)).containsExactly(0, 1);
    assertThat(within(0.75, 0.5f, 0.25f, 0.25f)).containsExactly(0, 1);
    assertThat(within(0.74, 0.5f, 0.25f, 0.25f)).containsExactly(0);
    assertThat(within(0.4, 0.5f, 0.25f, 0.25f)).isEmpty(); // though the next would fit
    assertThat(within(1, 0.25f, 0.5f, 0.25f)).containsExactly(0, 1, 2);
    assertThat(within(1, NAN, 0.5f)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void theCutIsThatOfAStableSort(long seed) {
    Random random = new Random(seed);
    float[] mass = new float[200];
    for (int i = 0; i < mass.length; i++) {
      float size = seed % 2 == 0 ? 1 : (float) Math.pow(2, -random.nextInt(30)); // many bins
      mass[i] = size * random.nextInt(12) / 1024f; // many equal ones
    }
    double limit = random.nextDouble();
    List<Integer> expected = new ArrayList<>();
    double total = 0;
    for (int i :
        IntStream.range(0, mass.length)
            .boxed()
            .sorted((a, b) -> Float.compare(mass[b], mass[a]))
            .mapToInt(i -> i)
            .toArray()) {
      total += mass[i];
      if (total <= limit) {
        expected.add(i);
      }
    }
    assertThat(within(limit, mass))
        .as("seed %d", seed)
        .containsExactlyElementsOf(expected.stream().sorted().toList());
  }

  @Test
  void theDistanceIsTheRootOfTheDivergenceInNats() {
    float[] even = {0.5f, 0.5f};
    assertThat(Divergence.distance(even, even)).isZero();
    // halves of ln(4/3)/2 + ln(4/5)/2 and 3/4 ln(6/5) + 1/4 ln(2/3), by hand
    double e = 0.5 * Math.log(0.5 / 0.625) + 0.5 * Math.log(0.5 / 0.375);
    double v = 0.75 * Math.log(0.75 / 0.625) + 0.25 * Math.log(0.25 / 0.375);
    assertThat(Divergence.distance(even, new float[] {0.75f, 0.25f}))
        .isCloseTo(Math.sqrt((e + v) / 2), org.assertj.core.data.Offset.offset(1e-12));
    assertThat(Divergence.distance(new float[] {1, 1e-30f}, new float[] {1e-30f, 1}))
        .isCloseTo(Math.sqrt(Math.log(2)), org.assertj.core.data.Offset.offset(1e-6));
  }

  @Test
  void aZeroOnEitherSideMakesTheDistanceNoNumber() {
    float[] even = {0.5f, 0.5f};
    float[] zero = {1, 0};
    assertThat(Divergence.distance(even, zero)).isNaN();
    assertThat(Divergence.distance(zero, even)).isNaN();
    assertThat(Divergence.distance(zero, zero)).isNaN();
    assertThat(Divergence.distance(even, new float[] {1, Float.MIN_VALUE})).isNotNaN();
  }
}
