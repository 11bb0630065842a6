// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EstimateTest {
  @ParameterizedTest
  @CsvSource({"1,12.7062", "2,4.3027", "10,2.2281", "11,2.2010", "20,2.0860", "100,1.9840"})
  void studentsTIsThatOfTheTables(int freedom, double t) {
    assertThat(Estimate.studentT(freedom)).isCloseTo(t, within(5e-4));
  }

  @Test
  void camerasWithoutACaseSayNothing() {
    assertThat(Estimate.of(List.of(Rate.NONE, Rate.NONE))).isEmpty();
    assertThat(Estimate.of(List.of(Rate.NONE, new Rate(1, 2))))
        .isEqualTo(Estimate.of(List.of(new Rate(1, 2))));
  }

  /** Wilson 1927: 9 of 10 are 0.596 to 0.982. */
  @Test
  void ofOneCameraItsCasesAreTakenAsIndependent() {
    Estimate one = Estimate.of(List.of(new Rate(9, 10))).orElseThrow();
    assertThat(one.value()).isEqualTo(0.9);
    assertThat(one.low()).isCloseTo(0.5958, within(1e-4));
    assertThat(one.high()).isCloseTo(0.9821, within(1e-4));
  }

  @Test
  void aRateThatIsAlwaysOneIsStillNotCertain() {
    Estimate sure = Estimate.of(List.of(new Rate(20, 20), new Rate(30, 30))).orElseThrow();
    assertThat(sure.value()).isEqualTo(1);
    assertThat(sure.high()).isEqualTo(1);
    assertThat(sure.low()).isCloseTo(0.9287, within(1e-4)); // 50 / (50 + z²)
  }

  /** Residuals ±10 of 200 cases: deviation sqrt(2·100·2/1)/200 = 0.1, times t = 12.7062. */
  @Test
  void camerasThatDifferWidenTheInterval() {
    Estimate two = Estimate.of(List.of(new Rate(60, 100), new Rate(40, 100))).orElseThrow();
    assertThat(two.low()).isZero();
    Estimate three =
        Estimate.of(List.of(new Rate(60, 100), new Rate(40, 100), new Rate(50, 100))).orElseThrow();
    double deviation = Math.sqrt(200.0 * 3 / 2) / 300;
    assertThat(three.low()).isCloseTo(0.5 - 4.3027 * deviation, within(1e-4));
    assertThat(three.high()).isCloseTo(0.5 + 4.3027 * deviation, within(1e-4));
  }

  @Test
  void holdsTheTruthInAboutNineteenOfTwentyCases() {
    long seed = 11;
    Random random = new Random(seed);
    int covered = 0;
    int trials = 2000;
    for (int i = 0; i < trials; i++) {
      List<Rate> cameras = new ArrayList<>();
      for (int camera = 0; camera < 6; camera++) {
        double own = 0.8 + 0.1 * (random.nextDouble() - 0.5) * 2; // cameras differ
        int cases = 100;
        cameras.add(new Rate(random.doubles(cases).filter(x -> x < own).count(), cases));
      }
      Estimate estimate = Estimate.of(cameras).orElseThrow();
      covered += estimate.low() <= 0.8 && estimate.high() >= 0.8 ? 1 : 0;
    }
    assertThat((double) covered / trials).as("seed %d", seed).isBetween(0.93, 0.99);
  }
}
