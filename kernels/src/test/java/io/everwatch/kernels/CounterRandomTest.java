// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CounterRandomTest {
  /** Known answers of the published generator for three keys and counters. */
  @Test
  void isPhilox4x32WithTenRounds() {
    assertThat(philox(0L, 0, 0, 0, 0)).isEqualTo("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
    assertThat(philox(-1L, -1, -1, -1, -1)).isEqualTo("408f276d 41c83b0e a20bc7c6 6d5451fd");
    assertThat(philox(0x299f31d0a4093822L, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344))
        .isEqualTo("d16cfe09 94fdcceb 5001e420 24126ea1");
  }

  private static String philox(long key, int c0, int c1, int c2, int c3) {
    long[] out = new long[2];
    CounterRandom.philox(key, c0, c1, c2, c3, out);
    return "%08x %08x %08x %08x"
        .formatted((int) out[0], (int) (out[0] >>> 32), (int) out[1], (int) (out[1] >>> 32));
  }

  @Test
  void givesEveryRoundAndTokenItsOwnNumber() {
    Set<Double> seen = new HashSet<>();
    double sum = 0;
    for (long round = 0; round < 500; round++) {
      for (int token = 0; token < 20; token++) {
        double drawn = CounterRandom.uniform(42, round, token);
        assertThat(drawn).isBetween(0.0, Math.nextDown(1.0));
        sum += drawn;
        seen.add(drawn);
      }
    }
    assertThat(seen).hasSize(10_000);
    double sigma = Math.sqrt(1 / 12.0 / 10_000); // of the mean of 10,000 uniform numbers
    assertThat(sum / 10_000).isCloseTo(0.5, within(5 * sigma));
  }

  @Test
  void keepsRoundsApartBeyondThirtyTwoBits() {
    assertThat(CounterRandom.uniform(1, 5, 0))
        .isNotEqualTo(CounterRandom.uniform(1, 5 + (1L << 32), 0));
  }

  @Test
  void givesStreamsWithEqualSettingsDifferentLuck() {
    assertThat(CounterRandom.streamSeed(42, "gate-1"))
        .isNotEqualTo(CounterRandom.streamSeed(42, "gate-2"))
        .isNotEqualTo(CounterRandom.streamSeed(43, "gate-1"))
        .isEqualTo(CounterRandom.streamSeed(42, "gate-1"));
  }
}
