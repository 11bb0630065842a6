// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class BoundTest {
  @Test
  void isAChunkOrATimeWithItsZone() {
    assertThat(Bound.parse("17").chunk()).hasValue(17L);
    assertThat(Bound.parse("2026-11-20T10:00:00+01:00").time())
        .hasValue(Instant.parse("2026-11-20T09:00:00Z"));
  }

  @Test
  void saysWhatIsExpectedOfAnythingElse() {
    assertThatThrownBy(() -> Bound.parse("2026-11-20T10:00:00"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("neither a chunk nor a time; expected a number");
    assertThatThrownBy(() -> Bound.parse("-1")).hasMessageContaining("'-1'");
  }
}
