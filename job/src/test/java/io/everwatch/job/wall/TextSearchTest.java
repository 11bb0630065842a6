// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextSearchTest {
  private final Told told = new Told(Told.LIMITS);

  private List<String> found(String query) {
    return TextSearch.search(told.wall.events(), query, Optional.empty(), Long.MAX_VALUE, 10)
        .hits()
        .stream()
        .map(hit -> marked(hit))
        .toList();
  }

  private static String marked(TextSearch.Hit hit) {
    StringBuilder text = new StringBuilder(hit.said().event().getText());
    for (int i = hit.ranges().size() - 1; i >= 0; i--) {
      text.insert(hit.ranges().get(i)[1], ']').insert(hit.ranges().get(i)[0], '[');
    }
    return text.toString();
  }

  @Test
  void allWordsMustOccurAnywhereNewestFirst() {
    told.says("gate", 0, "A red car enters.");
    told.says("yard", 1, "A red bus leaves.");
    told.says("gate", 2, "The bus is red.");

    assertThat(found("bus red")).containsExactly("The [bus] is [red].", "A [red] [bus] leaves.");
    assertThat(found("red lorry")).isEmpty();
    assertThat(found("   ")).isEmpty();
  }

  @Test
  void caseAndAccentsDoNotCountAndPlacesAreThoseOfTheTextItself() {
    told.says("gate", 0, "Près de l’école, ﬁn de la séance.");

    assertThat(found("ECOLE seance")).containsExactly("Près de l’[école], ﬁn de la [séance].");
    assertThat(found("fin")).containsExactly("Près de l’école, [ﬁn] de la séance.");
    assertThat(found("école")).hasSize(1);
  }

  @Test
  void markupAndPatternsAreWordsLikeAnyOther() {
    told.says("gate", 0, "<b>.*</b>");

    assertThat(found("<b>")).containsExactly("[<b>].*</b>");
    assertThat(found(".*")).containsExactly("<b>[.*]</b>");
    assertThat(found("x*")).isEmpty();
  }

  @Test
  void oneStreamATimeAndANumberBoundIt() {
    for (int chunk = 0; chunk < 20; chunk++) {
      told.says(chunk % 2 == 0 ? "gate" : "yard", chunk, "A car " + chunk);
    }
    long before = 1000 * (Told.START_MILLIS + 10_000);

    TextSearch.Found found =
        TextSearch.search(told.wall.events(), "car", Optional.of("gate"), before, 3);

    assertThat(found.hits())
        .extracting(hit -> hit.said().event().getText())
        .containsExactly("A car 8", "A car 6", "A car 4");
    assertThat(found.more()).isTrue();
  }

  @Test
  void twoHundredThousandEventsTakeLessThanFiftyMilliseconds() {
    Told large = new Told(new WallLimits(Duration.ofHours(6), 200_000, Long.MAX_VALUE, 50, 1, 1));
    String[] words = {"car", "bus", "bike", "red", "blue", "enters", "leaves", "waits", "turns"};
    Random random = new Random(7);
    for (int chunk = 0; chunk < 200_000; chunk++) {
      StringBuilder text = new StringBuilder("A");
      for (int i = 0; i < 10; i++) {
        text.append(' ').append(words[random.nextInt(words.length)]);
      }
      large.says("gate", chunk, text.toString());
    }
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 10; i++) {
      long start = threads.getCurrentThreadCpuTime();
      TextSearch.Found found =
          TextSearch.search(
              large.wall.events(), "car elephant", Optional.empty(), Long.MAX_VALUE, 200);
      best = Math.min(best, threads.getCurrentThreadCpuTime() - start);
      assertThat(found.hits()).isEmpty();
    }

    assertThat(best / 1e6).as("CPU time of the quickest of ten, ms").isLessThan(50);
  }
}
