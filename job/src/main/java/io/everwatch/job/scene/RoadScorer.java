// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import io.everwatch.job.scene.RoadScore.Count;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Holds what was said of one stream against the truth, second by second, and scores each stretch of
 * the stream's life by itself.
 */
public final class RoadScorer {
  private final List<RoadScore> stretches;
  private final long seconds;
  private final int visualRounds;

  // the stream's own last number and when it was said
  private OptionalInt lastNumber = OptionalInt.empty();
  private long lastNumberSecond;

  /**
   * A scorer that has heard nothing yet.
   *
   * @param stretches into how many equal parts the stream's life is cut
   * @param seconds length of the stream
   * @param visualRounds seconds that the model still sees
   */
  public RoadScorer(int stretches, long seconds, int visualRounds) {
    this.stretches = Stream.generate(RoadScore::new).limit(stretches).toList();
    this.seconds = seconds;
    this.visualRounds = visualRounds;
  }

  /**
   * Scores one second; they come in order.
   *
   * @param truth what happened; empty = nothing
   * @param said what was said; empty = nothing
   */
  public void score(long second, String truth, String said) {
    RoadScore score = stretches.get((int) (second * stretches.size() / seconds));
    scoreSentence(score, truth, said);
    scoreNumber(score, second, truth, said);
  }

  private static void scoreSentence(RoadScore score, String truth, String said) {
    boolean eventful = !truth.isEmpty();
    boolean spoke = !said.isEmpty();
    boolean right =
        eventful && Sentences.withoutNumber(truth).equals(Sentences.withoutNumber(said));
    score.add(Count.SILENT, !eventful);
    score.add(Count.SILENT_RIGHT, !eventful && !spoke);
    score.add(Count.SAID_NOTHING, !spoke);
    score.add(Count.EXACT, eventful && truth.equals(said));
    score.add(Count.TRUE_POSITIVE, right);
    score.add(Count.FALSE_NEGATIVE, eventful && !right);
    score.add(Count.FALSE_POSITIVE, spoke && !right);
  }

  private void scoreNumber(RoadScore score, long second, String truth, String said) {
    OptionalInt due = Sentences.number(truth);
    OptionalInt given = Sentences.number(said);
    boolean counted = due.isPresent();
    boolean uncounted = !counted && Sentences.isEntry(truth);
    boolean right = due.equals(given);
    boolean told = Sentences.withoutNumber(truth).equals(Sentences.withoutNumber(said));
    score.add(Count.COUNTED, counted);
    score.add(Count.GIVEN, counted && given.isPresent());
    score.add(Count.ABSOLUTE, counted && right);
    score.add(Count.TOLD_WITH_NUMBER, counted && told && given.isPresent());
    score.add(Count.TOLD_NUMBER_RIGHT, counted && told && right);
    score.add(Count.UNCOUNTED, uncounted);
    score.add(Count.FALSE_NUMBER, uncounted && given.isPresent());
    if (given.isPresent()) {
      int next = lastNumber.isEmpty() ? 1 : lastNumber.getAsInt() % Sentences.COUNT_WRAP + 1;
      boolean step = given.getAsInt() == next;
      boolean far = lastNumber.isPresent() && second - lastNumberSecond >= visualRounds;
      score.add(Count.SAID, true);
      score.add(Count.STEP, step);
      score.add(Count.FAR, far);
      score.add(Count.FAR_STEP, far && step);
      lastNumber = given;
      lastNumberSecond = second;
    }
  }

  /** One score per stretch, in order. */
  public List<RoadScore> stretches() {
    return stretches;
  }
}
