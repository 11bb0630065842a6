// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextsTest {
  @Test
  void leavesAloneWhatFits() {
    assertThat(Texts.bounded("ein Überholer", 14)).isEqualTo("ein Überholer");
  }

  @Test
  void cutsBetweenCharactersAndSaysSo() {
    assertThat(Texts.bounded("äöü", 5)).isEqualTo("ä…");
    assertThat(Texts.bounded("\uD83D\uDE97\uD83D\uDE97", 7)).isEqualTo("\uD83D\uDE97…");
    assertThat(Texts.bounded("\uD83D\uDE97\uD83D\uDE97", 6)).isEqualTo("…");
  }

  @Test
  void neverExceedsTheBoundOrSplitsACharacter() {
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      String text =
          random
              .ints(random.nextInt(40), 0x20, 0x1F700)
              .filter(c -> c < 0xD800 || c > 0xDFFF)
              .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
              .toString();
      int max = 3 + random.nextInt(60);

      String cut = Texts.bounded(text, max);

      byte[] bytes = cut.getBytes(StandardCharsets.UTF_8);
      assertThat(bytes.length).isLessThanOrEqualTo(max);
      assertThat(new String(bytes, StandardCharsets.UTF_8)).isEqualTo(cut);
      assertThat(cut.equals(text) || text.startsWith(cut.substring(0, cut.length() - 1))).isTrue();
    }
  }
}
