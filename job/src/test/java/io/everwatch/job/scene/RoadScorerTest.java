// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.scene.RoadWorld.Second;
import org.junit.jupiter.api.Test;

class RoadScorerTest {
  private static final int VISUAL_ROUNDS = 16;

  private final RoadScorer scorer = new RoadScorer(1, 100, VISUAL_ROUNDS);

  private RoadScore score() {
    return scorer.stretches().get(0);
  }

  @Test
  void theTruthItselfScoresOneEverywhere() {
    RoadWorld world = new RoadWorld(RoadScene.ofSeed(4));
    RoadScorer whole = new RoadScorer(10, 2000, VISUAL_ROUNDS);
    for (int t = 0; t < 2000; t++) {
      Second second = world.next();
      whole.score(t, second.truth(), second.truth());
    }
    RoadScore sum = RoadScore.sum(whole.stretches());
    assertThat(sum.events() + sum.silentSeconds()).isEqualTo(2000);
    assertThat(sum.precision()).hasValue(1);
    assertThat(sum.recall()).hasValue(1);
    assertThat(sum.f1()).hasValue(1);
    assertThat(sum.exactRecall()).hasValue(1);
    assertThat(sum.silencePrecision()).hasValue(1);
    assertThat(sum.silenceRecall()).hasValue(1);
    assertThat(sum.numberGiven()).hasValue(1);
    assertThat(sum.numberFalse()).hasValue(0);
    assertThat(sum.countStep()).hasValue(1);
    assertThat(sum.countStepFar()).hasValue(1);
    assertThat(sum.countAbsolute()).hasValue(1);
    assertThat(sum.numberRightGivenSentence()).hasValue(1);
    assertThat(sum.far()).isPositive();
    assertThat(whole.stretches()).allSatisfy(part -> assertThat(part.events()).isPositive());
  }

  @Test
  void silenceAllTheTimeHasPerfectRecallOfSilenceAndNoneOfEvents() {
    scorer.score(0, "", "");
    scorer.score(1, " The red car stops.", "");
    scorer.score(2, "", "");
    assertThat(score().silenceRecall()).hasValue(1);
    assertThat(score().silencePrecision()).hasValue(2.0 / 3);
    assertThat(score().recall()).hasValue(0);
    assertThat(score().precision()).isEmpty();
    assertThat(score().f1()).hasValue(0);
  }

  @Test
  void aWrongSentenceIsAMissAndAFalseAlarm() {
    scorer.score(0, " The red car stops.", " The blue car stops.");
    scorer.score(1, " The red car moves on.", " The red car moves on.");
    scorer.score(2, "", " The light turns red.");
    assertThat(score().precision()).hasValue(1.0 / 3);
    assertThat(score().recall()).hasValue(0.5);
    assertThat(score().f1()).hasValue(2.0 / 5);
    assertThat(score().silenceRecall()).hasValue(0);
  }

  @Test
  void theNumberIsScoredApartFromTheSentence() {
    scorer.score(0, " A red bus number one enters from the left.", bus("two"));
    scorer.score(1, " A red bus number two enters from the left.", bus("three"));
    scorer.score(
        2, " A red bus number three enters from the left.", " A red bus enters from the left.");
    scorer.score(3, " A red bus number four enters from the left.", bus("four"));
    assertThat(score().f1()).hasValue(1);
    assertThat(score().exactRecall()).hasValue(0.25);
    assertThat(score().numberGiven()).hasValue(0.75);
    assertThat(score().countAbsolute()).hasValue(0.25);
    assertThat(score().numberRightGivenSentence()).hasValue(1.0 / 3);
    // "two" is no start; "three" and "four" continue the model's own number
    assertThat(score().countStep()).hasValue(2.0 / 3);
  }

  @Test
  void aNumberForAnotherKindIsFalse() {
    scorer.score(
        0, " A red car enters from the left.", " A red car number one enters from the left.");
    scorer.score(1, " A blue car enters from the left.", " A blue car enters from the left.");
    assertThat(score().numberFalse()).hasValue(0.5);
    assertThat(score().f1()).hasValue(1);
  }

  @Test
  void onlyStepsAcrossTheVisualWindowAreFar() {
    scorer.score(0, bus("one"), bus("one"));
    scorer.score(15, bus("two"), bus("two"));
    scorer.score(31, bus("three"), bus("three"));
    scorer.score(60, bus("four"), bus("nine"));
    assertThat(score().far()).isEqualTo(2);
    assertThat(score().countStepFar()).hasValue(0.5);
    assertThat(score().countStep()).hasValue(0.75);
  }

  @Test
  void afterTwentyComesOne() {
    scorer.score(0, bus("one"), bus("one"));
    scorer.score(1, bus("twenty"), bus("twenty"));
    scorer.score(2, bus("one"), bus("one"));
    assertThat(score().said()).isEqualTo(3);
    assertThat(score().countStep()).hasValue(2.0 / 3);
  }

  @Test
  void aWordThatIsNoNumberIsSaidButNeverAStep() {
    scorer.score(0, bus("one"), bus("plenty"));
    assertThat(score().said()).isEqualTo(1);
    assertThat(score().countStep()).hasValue(0);
    assertThat(score().countAbsolute()).hasValue(0);
  }

  @Test
  void stretchesRememberTheNumberOfTheOneBefore() {
    RoadScorer halves = new RoadScorer(2, 100, VISUAL_ROUNDS);
    halves.score(40, bus("one"), bus("one"));
    halves.score(60, bus("two"), bus("two"));
    assertThat(halves.stretches().get(0).said()).isEqualTo(1);
    assertThat(halves.stretches().get(1).countStepFar()).hasValue(1);
  }

  private static String bus(String number) {
    return " A red bus number " + number + " enters from the left.";
  }
}
