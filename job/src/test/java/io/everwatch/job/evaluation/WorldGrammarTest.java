// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorldGrammarTest {
  private static final long SEED = 1;
  private static final int SECONDS = 3000;
  private static final int FAR = 16;

  /** Whatever only memory tells, the truth tells it as its own sentences before let expect. */
  @ParameterizedTest
  @ValueSource(strings = {"world-road", "door", "world-road?fps=1&conditions=post"})
  void theTruthItselfScoresOneEverywhere(String scene) {
    TrueCamera camera = Scenes.open(scene, SEED, 2);
    Scorer scorer = new Scorer(camera.grammar(), 10, SECONDS, FAR);
    for (int t = 0; t < SECONDS; t++) {
      String truth = camera.next().truth();
      scorer.score(t, truth, truth);
    }
    Score score = Score.sum(scorer.stretches());
    assertThat(score.rate("recall").whole() + score.rate("silenceRecall").whole())
        .isEqualTo(SECONDS);
    score
        .rates()
        .forEach(
            (name, rate) -> {
              String about = "%s, seed %d: %s".formatted(scene, SEED, name);
              assertThat(rate.whole() > 0) // how many are inside is told whatever is counted
                  .as(about)
                  .isEqualTo(!name.equals("insideFalse"));
              assertThat(rate.value().orElse(0))
                  .as(about)
                  .isEqualTo(name.endsWith("False") ? 0 : 1);
            });
  }

  @Test
  void factsAreReadFromTheSentencesOfTheRoad() {
    Score score =
        told(
            WorldGrammar.ROAD,
            " A red bus number one enters from the left.",
            " A blue bus number two after a red one enters from the left.",
            " A blue bus number four after a red one enters from the left.",
            " A red car enters from the left.");
    assertThat(score.rate("numberStep")).isEqualTo(new Rate(2, 3));
    assertThat(score.rate("afterStep")).isEqualTo(new Rate(1, 2));
    assertThat(
            WorldGrammar.ROAD.seen(" A blue bus number two after a red one enters from the left."))
        .isEqualTo(" A blue bus enters from the left.");
  }

  @Test
  void peopleComeAndGo() {
    Score score =
        told(
            WorldGrammar.DOOR,
            " A person in red goes in, one inside.",
            " A person in blue with a bag number one goes in, two inside.",
            " A person in red comes out, one inside.",
            " A person in red comes out, none inside.",
            " A person in red comes out, two inside.");
    assertThat(score.rate("insideStep")).isEqualTo(new Rate(4, 5));
    assertThat(score.rate("insideGiven")).isEqualTo(new Rate(5, 5));
    assertThat(score.rate("numberStep")).isEqualTo(new Rate(1, 1));
  }

  private static Score told(SceneGrammar grammar, String... sentences) {
    Scorer scorer = new Scorer(grammar, 1, 100, FAR);
    for (int t = 0; t < sentences.length; t++) {
      scorer.score(t, sentences[t], sentences[t]);
    }
    return scorer.stretches().get(0);
  }

  @Test
  void aDoorMayBeAskedAboutWhatItShowsAndWhatWasSaid() {
    TrueCamera door = Scenes.open("door", 5, 2);
    for (int t = 0; t < 200; t++) {
      door.next();
    }
    List<Question> questions = door.next().questions();
    assertThat(questions).extracting(Question::source).contains("text");
    assertThat(questions).allMatch(question -> question.answeredBy(question.answer()));
    assertThat(questions).noneMatch(question -> question.answeredBy(" Something else."));
  }

  @ParameterizedTest
  @ValueSource(strings = {"beach", "world-door", "road?fps=2", "door?size=1x1", "door?colour=red"})
  void aSceneThatIsNotThereIsNamed(String scene) {
    assertThatThrownBy(() -> Scenes.open(scene, 1, 0.8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(
            scene.contains("size") ? "width 1" : scene.replaceAll("\\?.*|world-", ""));
  }
}
