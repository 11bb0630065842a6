// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadWorld;
import io.everwatch.job.scene.RoadWorld.Second;
import org.junit.jupiter.api.Test;

class ScorerTest {
  private static final int FAR_SECONDS = 16;

  private final Scorer scorer = new Scorer(RoadCamera.roadGrammar(), 1, 100, FAR_SECONDS);

  private Score score() {
    return scorer.stretches().get(0);
  }

  @Test
  void theTruthItselfScoresOneEverywhere() {
    RoadWorld world = new RoadWorld(RoadScene.ofSeed(4));
    Scorer whole = new Scorer(RoadCamera.roadGrammar(), 10, 2000, FAR_SECONDS);
    for (int t = 0; t < 2000; t++) {
      Second second = world.next();
      whole.score(t, second.truth(), second.truth());
    }
    Score sum = Score.sum(whole.stretches());
    assertThat(sum.rate("recall").whole() + sum.rate("silenceRecall").whole()).isEqualTo(2000);
    assertThat(sum.rate("precision").value()).hasValue(1);
    assertThat(sum.rate("recall").value()).hasValue(1);
    assertThat(sum.rate("f1").value()).hasValue(1);
    assertThat(sum.rate("exactRecall").value()).hasValue(1);
    assertThat(sum.rate("silencePrecision").value()).hasValue(1);
    assertThat(sum.rate("silenceRecall").value()).hasValue(1);
    assertThat(sum.rate("numberGiven").value()).hasValue(1);
    assertThat(sum.rate("numberFalse").value()).hasValue(0);
    assertThat(sum.rate("numberStep").value()).hasValue(1);
    assertThat(sum.rate("numberStepFar").value()).hasValue(1);
    assertThat(sum.rate("numberRight").value()).hasValue(1);
    assertThat(sum.rate("numberRightGivenSentence").value()).hasValue(1);
    assertThat(sum.rate("numberStepFar").whole()).isPositive();
    assertThat(whole.stretches())
        .allSatisfy(part -> assertThat(part.rate("recall").whole()).isPositive());
  }

  @Test
  void silenceAllTheTimeHasPerfectRecallOfSilenceAndNoneOfEvents() {
    scorer.score(0, "", "");
    scorer.score(1, " The red car stops.", "");
    scorer.score(2, "", "");
    assertThat(score().rate("silenceRecall").value()).hasValue(1);
    assertThat(score().rate("silencePrecision").value()).hasValue(2.0 / 3);
    assertThat(score().rate("recall").value()).hasValue(0);
    assertThat(score().rate("precision").value()).isEmpty();
    assertThat(score().rate("f1").value()).hasValue(0);
  }

  @Test
  void aWrongSentenceIsAMissAndAFalseAlarm() {
    scorer.score(0, " The red car stops.", " The blue car stops.");
    scorer.score(1, " The red car moves on.", " The red car moves on.");
    scorer.score(2, "", " The light turns red.");
    assertThat(score().rate("precision").value()).hasValue(1.0 / 3);
    assertThat(score().rate("recall").value()).hasValue(0.5);
    assertThat(score().rate("f1").value()).hasValue(2.0 / 5);
    assertThat(score().rate("silenceRecall").value()).hasValue(0);
  }

  @Test
  void theNumberIsScoredApartFromTheSentence() {
    scorer.score(0, " A red bus number one enters from the left.", bus("two"));
    scorer.score(1, " A red bus number two enters from the left.", bus("three"));
    scorer.score(
        2, " A red bus number three enters from the left.", " A red bus enters from the left.");
    scorer.score(3, " A red bus number four enters from the left.", bus("four"));
    assertThat(score().rate("f1").value()).hasValue(1);
    assertThat(score().rate("exactRecall").value()).hasValue(0.25);
    assertThat(score().rate("numberGiven").value()).hasValue(0.75);
    assertThat(score().rate("numberRight").value()).hasValue(0.25);
    assertThat(score().rate("numberRightGivenSentence").value()).hasValue(1.0 / 3);
    // "two" is no start; "three" and "four" continue the model's own number
    assertThat(score().rate("numberStep").value()).hasValue(2.0 / 3);
  }

  @Test
  void aNumberForAnotherKindIsFalse() {
    scorer.score(
        0, " A red car enters from the left.", " A red car number one enters from the left.");
    scorer.score(1, " A blue car enters from the left.", " A blue car enters from the left.");
    assertThat(score().rate("numberFalse").value()).hasValue(0.5);
    assertThat(score().rate("f1").value()).hasValue(1);
  }

  @Test
  void onlyStepsAcrossTheVisualWindowAreFar() {
    scorer.score(0, bus("one"), bus("one"));
    scorer.score(15, bus("two"), bus("two"));
    scorer.score(31, bus("three"), bus("three"));
    scorer.score(60, bus("four"), bus("nine"));
    assertThat(score().rate("numberStepFar").whole()).isEqualTo(2);
    assertThat(score().rate("numberStepFar").value()).hasValue(0.5);
    assertThat(score().rate("numberStep").value()).hasValue(0.75);
  }

  @Test
  void afterTwentyComesOne() {
    scorer.score(0, bus("one"), bus("one"));
    scorer.score(1, bus("twenty"), bus("twenty"));
    scorer.score(2, bus("one"), bus("one"));
    assertThat(score().rate("numberStep").whole()).isEqualTo(3);
    assertThat(score().rate("numberStep").value()).hasValue(2.0 / 3);
  }

  @Test
  void aWordThatIsNoNumberIsSaidButNeverAStep() {
    scorer.score(0, bus("one"), bus("plenty"));
    assertThat(score().rate("numberStep").whole()).isEqualTo(1);
    assertThat(score().rate("numberStep").value()).hasValue(0);
    assertThat(score().rate("numberRight").value()).hasValue(0);
  }

  @Test
  void stretchesRememberTheNumberOfTheOneBefore() {
    Scorer halves = new Scorer(RoadCamera.roadGrammar(), 2, 100, FAR_SECONDS);
    halves.score(40, bus("one"), bus("one"));
    halves.score(60, bus("two"), bus("two"));
    assertThat(halves.stretches().get(0).rate("numberStep").whole()).isEqualTo(1);
    assertThat(halves.stretches().get(1).rate("numberStepFar").value()).hasValue(1);
  }

  private static String bus(String number) {
    return " A red bus number " + number + " enters from the left.";
  }
}
