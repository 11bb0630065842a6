// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.demo.Lags.Percentiles;
import org.junit.jupiter.api.Test;

class LagsTest {
  @Test
  void percentilesAreValuesThatWereMeasured() {
    Lags lags = new Lags();
    for (int i = 2000; i >= 1; i--) {
      lags.add(i);
    }
    assertThat(lags.percentiles()).isEqualTo(new Percentiles(2000, 1000, 1900, 1980, 2000));
  }

  @Test
  void oneValueIsAllPercentiles() {
    Lags lags = new Lags();
    lags.add(7);
    assertThat(lags.percentiles()).isEqualTo(new Percentiles(1, 7, 7, 7, 7));
  }

  @Test
  void nothingMeasuredIsSaidSo() {
    assertThat(new Lags().percentiles()).isEqualTo(new Percentiles(0, -1, -1, -1, -1));
  }
}
