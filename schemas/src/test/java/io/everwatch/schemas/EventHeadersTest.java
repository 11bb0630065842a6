// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EventHeadersTest {
  @Test
  void readsBackWhatItWrote() {
    EventHeaders times = new EventHeaders(1, 22, 333, 4444, 55555, EventHeaders.ABSENT, 7777777);

    assertThat(EventHeaders.of(times.toMap()::get)).isEqualTo(times);
  }

  @Test
  void leavesOutWhatIsAbsent() {
    assertThat(EventHeaders.NONE.toMap()).isEmpty();
  }

  @Test
  void writesDecimalDigits() {
    assertThat(
            new EventHeaders(1700000000123L, -1, -1, -1, -1, -1, -1)
                .toMap()
                .get(EventHeaders.LAST_CAPTURE))
        .isEqualTo("1700000000123".getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void takesWhatIsNoNumberAsAbsent() {
    Map<String, byte[]> foreign = Map.of(EventHeaders.DONE, new byte[] {(byte) 0xff, 1});

    assertThat(EventHeaders.of(foreign::get)).isEqualTo(EventHeaders.NONE);
  }
}
