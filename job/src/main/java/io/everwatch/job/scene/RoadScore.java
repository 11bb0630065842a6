// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * How well roads were told, without tolerance in time. Counts of streams and of stretches add up;
 * the rates are those of the sums.
 */
public final class RoadScore {
  /** What is counted, once per second. */
  enum Count {
    /** Eventful, and the sentence is right, its number left aside. */
    TRUE_POSITIVE,
    /** A sentence that is not the truth. */
    FALSE_POSITIVE,
    /** Eventful, without the right sentence; a wrong one counts in both. */
    FALSE_NEGATIVE,
    /** Eventful, and the sentence is right with its number. */
    EXACT,
    /** Nothing happened. */
    SILENT,
    /** Nothing happened and nothing was said. */
    SILENT_RIGHT,
    /** Nothing was said. */
    SAID_NOTHING,
    /** An entry of the counted kind. */
    COUNTED,
    /** Of these, with any number. */
    GIVEN,
    /** Of these, with the true number; one missed entry shifts all later ones. */
    ABSOLUTE,
    /** An entry of the counted kind told rightly and with a number, whichever. */
    TOLD_WITH_NUMBER,
    /** Of these, with the true number. */
    TOLD_NUMBER_RIGHT,
    /** An entry of another kind. */
    UNCOUNTED,
    /** Of these, with a number. */
    FALSE_NUMBER,
    /** A number was said. */
    SAID,
    /** Of these, one more than the stream's own number before; the first is "one". */
    STEP,
    /** A number whose predecessor had left the visual window. */
    FAR,
    /** Of these, one more than it: the score of the text memory. */
    FAR_STEP
  }

  private final Map<Count, Long> counts = new EnumMap<>(Count.class);

  /** The sum of these. */
  public static RoadScore sum(Iterable<RoadScore> scores) {
    RoadScore sum = new RoadScore();
    for (RoadScore score : scores) {
      score.counts.forEach((count, times) -> sum.counts.merge(count, times, Long::sum));
    }
    return sum;
  }

  void add(Count count, boolean happened) {
    if (happened) {
      counts.merge(count, 1L, Long::sum);
    }
  }

  private long of(Count... several) {
    return Arrays.stream(several).mapToLong(count -> counts.getOrDefault(count, 0L)).sum();
  }

  private static OptionalDouble rate(long part, long whole) {
    return whole == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) part / whole);
  }

  /** Eventful seconds. */
  public long events() {
    return of(Count.TRUE_POSITIVE, Count.FALSE_NEGATIVE);
  }

  /** Seconds in which nothing happened. */
  public long silentSeconds() {
    return of(Count.SILENT);
  }

  /** Share of the sentences that are the truth, the number left aside. */
  public OptionalDouble precision() {
    return rate(of(Count.TRUE_POSITIVE), of(Count.TRUE_POSITIVE, Count.FALSE_POSITIVE));
  }

  /** Share of the eventful seconds that were told rightly, the number left aside. */
  public OptionalDouble recall() {
    return rate(of(Count.TRUE_POSITIVE), events());
  }

  /** {@code 2 tp / (2 tp + fp + fn)}. */
  public OptionalDouble f1() {
    long twice = 2 * of(Count.TRUE_POSITIVE);
    return rate(twice, twice + of(Count.FALSE_POSITIVE, Count.FALSE_NEGATIVE));
  }

  /** As recall, with the number. */
  public OptionalDouble exactRecall() {
    return rate(of(Count.EXACT), events());
  }

  /** Share of the seconds without a word in which nothing happened. */
  public OptionalDouble silencePrecision() {
    return rate(of(Count.SILENT_RIGHT), of(Count.SAID_NOTHING));
  }

  /** Share of the silent seconds on which nothing was said. */
  public OptionalDouble silenceRecall() {
    return rate(of(Count.SILENT_RIGHT), silentSeconds());
  }

  /** Entries of the counted kind. */
  public long counted() {
    return of(Count.COUNTED);
  }

  /** Share of them that got a number. */
  public OptionalDouble numberGiven() {
    return rate(of(Count.GIVEN), counted());
  }

  /** Share of the other entries that got one: the instruction was forgotten. */
  public OptionalDouble numberFalse() {
    return rate(of(Count.FALSE_NUMBER), of(Count.UNCOUNTED));
  }

  /** Numbers said. */
  public long said() {
    return of(Count.SAID);
  }

  /** Share of the numbers said that are one more than the one said before. */
  public OptionalDouble countStep() {
    return rate(of(Count.STEP), said());
  }

  /** Numbers whose predecessor had left the visual window. */
  public long far() {
    return of(Count.FAR);
  }

  /** As {@link #countStep}, of these only: the score of the text memory. */
  public OptionalDouble countStepFar() {
    return rate(of(Count.FAR_STEP), far());
  }

  /** Share of the counted entries told rightly and with a number whose number is the true one. */
  public OptionalDouble numberRightGivenSentence() {
    return rate(of(Count.TOLD_NUMBER_RIGHT), of(Count.TOLD_WITH_NUMBER));
  }

  /** Share of the counted entries with the true number: strict and drifting, not a gate. */
  public OptionalDouble countAbsolute() {
    return rate(of(Count.ABSOLUTE), counted());
  }

  @Override
  public String toString() {
    return "RoadScore" + counts;
  }
}
