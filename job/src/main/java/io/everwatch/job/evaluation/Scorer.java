// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Holds what was said of one stream against the truth, second by second, without tolerance in time,
 * and scores each stretch of the stream's life by itself. The rates:
 *
 * <ul>
 *   <li>{@code precision}, {@code recall}, {@code f1} of the sentences, recalled facts left aside;
 *       a wrong sentence on an eventful second is a miss and a false alarm
 *   <li>{@code exactRecall}: as recall, with the facts
 *   <li>{@code silencePrecision}, {@code silenceRecall}: of the seconds in which nothing happened
 *   <li>for each {@link RecalledFact}, with its name in front: {@code Given}, said where it is due;
 *       {@code False}, said where only another instruction would have it; {@code Right}, true where
 *       it is due: one missed event shifts all later ones, so this is strict and drifts; {@code
 *       RightGivenSentence}, the same where the sentence was right and said one; {@code Step},
 *       follows from what the stream itself said before; {@code StepFar}, the same where that was
 *       said long ago, outside the visual window: the score of the text memory
 *   <li>{@code answers.} and a source: questions answered rightly
 * </ul>
 */
public final class Scorer {
  private final SceneGrammar grammar;
  private final List<Score> stretches;
  private final long seconds;
  private final int farSeconds;
  private final Map<String, Base> bases = new HashMap<>(); // the stream's own, by fact

  private record Base(long second, String sentence) {}

  /**
   * A scorer that has heard nothing yet.
   *
   * @param stretches into how many equal parts the stream's life is cut
   * @param seconds length of the stream
   * @param farSeconds what was said so long ago is far
   */
  public Scorer(SceneGrammar grammar, int stretches, long seconds, int farSeconds) {
    this.grammar = grammar;
    this.stretches = Stream.generate(this::empty).limit(stretches).toList();
    this.seconds = seconds;
    this.farSeconds = farSeconds;
  }

  private Score empty() {
    Score score = new Score();
    Stream.of("precision", "recall", "f1", "exactRecall", "silencePrecision", "silenceRecall")
        .forEach(score::declare);
    for (RecalledFact fact : grammar.facts()) {
      Stream.of("Given", "False", "Right", "RightGivenSentence", "Step", "StepFar")
          .forEach(rate -> score.declare(fact.label() + rate));
    }
    return score;
  }

  /**
   * Scores one second; they come in order.
   *
   * @param truth what happened; empty = nothing
   * @param said what was said; empty = nothing
   */
  public void score(long second, String truth, String said) {
    Score score = stretch(second);
    scoreSentence(score, truth, said);
    for (RecalledFact fact : grammar.facts()) {
      scoreFact(score, fact, second, truth, said);
    }
    remember(second, said);
  }

  /** Scores one second in which this was asked: its answer only, which the sentence may follow. */
  public void scoreAnswer(long second, Question question, String said) {
    stretch(second).add("answers." + question.source(), question.answeredBy(said), true);
    remember(second, said);
  }

  private Score stretch(long second) {
    return stretches.get((int) (second * stretches.size() / seconds));
  }

  private void scoreSentence(Score score, String truth, String said) {
    boolean eventful = !truth.isEmpty();
    boolean spoke = !said.isEmpty();
    boolean right = eventful && grammar.seen(truth).equals(grammar.seen(said));
    score.add("precision", right, spoke);
    score.add("recall", right, eventful);
    int twice = right ? 2 : 0;
    int wrong = (spoke && !right ? 1 : 0) + (eventful && !right ? 1 : 0);
    score.add("f1", new Rate(twice, twice + wrong));
    score.add("exactRecall", truth.equals(said), eventful);
    score.add("silencePrecision", !eventful, !spoke);
    score.add("silenceRecall", !spoke, !eventful);
  }

  private void scoreFact(Score score, RecalledFact fact, long second, String truth, String said) {
    Optional<String> due = fact.said(truth);
    Optional<String> given = fact.said(said);
    boolean right = due.equals(given);
    boolean told = grammar.seen(truth).equals(grammar.seen(said));
    String name = fact.label();
    score.add(name + "Given", given.isPresent(), due.isPresent());
    score.add(name + "False", given.isPresent(), due.isEmpty() && fact.possible(truth));
    score.add(name + "Right", right, due.isPresent());
    score.add(name + "RightGivenSentence", right, due.isPresent() && told && given.isPresent());
    Base base = bases.get(name);
    boolean step =
        given.isPresent()
            && given.get().equals(fact.next(Optional.ofNullable(base).map(Base::sentence), said));
    boolean far = base != null && second - base.second >= farSeconds;
    score.add(name + "Step", step, given.isPresent());
    score.add(name + "StepFar", step, given.isPresent() && far);
  }

  private void remember(long second, String said) {
    for (RecalledFact fact : grammar.facts()) {
      if (fact.isBase(said)) {
        bases.put(fact.label(), new Base(second, said));
      }
    }
  }

  /** One score per stretch, in order. */
  public List<Score> stretches() {
    return stretches;
  }
}
