// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LineBreaksTest {
  @Test
  void whatFitsStaysOnOneLine() {
    assertThat(LineBreaks.of("A red bus stops at the crossing.", 42))
        .containsExactly("A red bus stops at the crossing.");
  }

  @Test
  void linesAreAboutEquallyLong() {
    assertThat(LineBreaks.of("A red bus stops at the crossing and two men cross.", 42))
        .containsExactly("A red bus stops at the", "crossing and two men cross.");
  }

  @Test
  void thereAreAsManyLinesAsItTakes() {
    List<String> lines =
        LineBreaks.of("one two three four five six seven eight nine ten eleven twelve", 20);
    assertThat(lines).hasSize(4).allMatch(line -> line.length() <= 20 && line.equals(line.strip()));
    assertThat(String.join(" ", lines))
        .isEqualTo("one two three four five six seven eight nine ten eleven twelve");
  }

  @Test
  void aWordThatIsTooLongIsCut() {
    assertThat(LineBreaks.of("x".repeat(25), 10))
        .hasSize(3)
        .allMatch(line -> line.length() <= 10)
        .satisfies(lines -> assertThat(String.join("", lines)).isEqualTo("x".repeat(25)));
  }

  @Test
  void ideographsAreWideAndNeedNoSpaces() {
    assertThat(LineBreaks.of("赤いバスが停留所に止まっています", 16))
        .hasSize(2)
        .allMatch(line -> line.codePointCount(0, line.length()) <= 8)
        .satisfies(lines -> assertThat(String.join("", lines)).isEqualTo("赤いバスが停留所に止まっています"));
  }

  @Test
  void aPictureOfSeveralCharactersIsNotTornApart() {
    String family = "\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67";
    assertThat(String.join("", LineBreaks.of(family.repeat(9), 4))).isEqualTo(family.repeat(9));
  }

  @Test
  void nothingHasNoLine() {
    assertThat(LineBreaks.of(" ", 42)).isEmpty();
  }
}
