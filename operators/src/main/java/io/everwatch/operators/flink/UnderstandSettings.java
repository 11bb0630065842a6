// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.Serializable;
import java.time.Duration;

/**
 * How the operator works; but for overload and the limit of streams, nothing here changes a text.
 *
 * @param limits what a subtask takes at most
 * @param overload what is done when frames come faster
 * @param drain how long a checkpoint barrier waits for running rounds at most; the rest is stored
 * @param snapshotInterval a stream's memory is written again after this time at the latest; zero:
 *     with every checkpoint
 * @param maxTextBytes longest text of an event, UTF-8; longer ones are cut, so that no event
 *     exceeds what the sink may send
 * @param staleAfter a stream without records for so long is told to be silent; zero: never
 * @param forgetAfter a stream without records for so long ends; zero: never
 * @param state which state it goes on with
 */
public record UnderstandSettings(
    Limits limits,
    Overload overload,
    Duration drain,
    Duration snapshotInterval,
    int maxTextBytes,
    Duration staleAfter,
    Duration forgetAfter,
    StateRules state)
    implements Serializable {

  /**
   * What a subtask takes at most; beyond it the operator takes no record, or refuses a stream.
   *
   * @param inFlight chunks, gaps, commands and ends in the heap that may wait or be under way
   * @param inFlightBytes bytes of their pictures; one chunk is always let in
   * @param parkedBytes bytes of chunks that a stream with a backlog may leave to its state, so that
   *     others go on; 0: the operator waits at once
   * @param streams that may have state; 0: any number
   */
  public record Limits(int inFlight, long inFlightBytes, long parkedBytes, int streams)
      implements Serializable {
    /** Parked turns, and skipped ones, for each one that may be in the heap. */
    private static final int OUTSIDE_SHARE = 16;

    public static final Limits DEFAULT = new Limits(64, 256L << 20, 256L << 20, 0);

    public Limits {
      if (inFlight < 1 || inFlightBytes < 1) {
        throw new IllegalArgumentException(
            "inFlight is %d, inFlightBytes %d; at least one chunk must be allowed"
                .formatted(inFlight, inFlightBytes));
      }
      if (parkedBytes < 0 || streams < 0) {
        throw new IllegalArgumentException(
            "parkedBytes is %d, streams %d; neither may be negative"
                .formatted(parkedBytes, streams));
      }
    }

    /** Turns of one stream that may be in the heap when others want to be there too. */
    int share() {
      return Math.max(2, inFlight / 8);
    }

    /** Turns that may be parked. */
    int parked() {
      return parkedBytes == 0 ? 0 : inFlight * OUTSIDE_SHARE;
    }

    /**
     * Skipped chunks that may wait behind a round under way, to be told; their pictures are gone.
     */
    int skipped() {
      return inFlight * OUTSIDE_SHARE;
    }

    public Limits withInFlight(int value) {
      return new Limits(value, inFlightBytes, parkedBytes, streams);
    }
  }

  /**
   * When frames come faster than they are understood.
   *
   * @param mode of streams that no command told otherwise
   * @param maxLag in mode LIVE chunks that are further behind are skipped, in mode MERGE they are
   *     understood together
   * @param mergeChunks so many at most; never more than the stream's windows keep
   */
  public record Overload(OverloadMode mode, Duration maxLag, int mergeChunks)
      implements Serializable {
    public static final Overload DEFAULT =
        new Overload(OverloadMode.BLOCK, Duration.ofSeconds(10), 8);

    /** A round of more would not be one of what happens now. */
    public static final int MOST_MERGED = 64;

    public Overload {
      if (maxLag.isNegative() || mergeChunks < 2 || mergeChunks > MOST_MERGED) {
        throw new IllegalArgumentException(
            "maxLag %s, mergeChunks %d; expected a lag of 0 or more, and 2 to %d chunks"
                .formatted(maxLag, mergeChunks, MOST_MERGED));
      }
    }
  }

  public static final UnderstandSettings DEFAULT =
      new UnderstandSettings(256, Duration.ofMillis(100), Duration.ofSeconds(60), 64 << 10);

  public UnderstandSettings {
    if (drain.isNegative() || snapshotInterval.isNegative()) {
      throw new IllegalArgumentException(
          "drain %s, snapshotInterval %s; neither may be negative"
              .formatted(drain, snapshotInterval));
    }
    if (staleAfter.isNegative() || forgetAfter.isNegative()) {
      throw new IllegalArgumentException(
          "staleAfter %s, forgetAfter %s; neither may be negative"
              .formatted(staleAfter, forgetAfter));
    }
    if (maxTextBytes < 16) {
      throw new IllegalArgumentException(
          "maxTextBytes is %d; at least 16 are needed".formatted(maxTextBytes));
    }
  }

  /**
   * Lossless, with the usual limits but for {@code inFlight}; says nothing of silent streams, and
   * keeps them; goes on with any state.
   */
  public UnderstandSettings(
      int inFlight, Duration drain, Duration snapshotInterval, int maxTextBytes) {
    this(
        Limits.DEFAULT.withInFlight(inFlight),
        Overload.DEFAULT,
        drain,
        snapshotInterval,
        maxTextBytes,
        Duration.ZERO,
        Duration.ZERO,
        StateRules.DEFAULT);
  }

  public UnderstandSettings with(Limits value) {
    return new UnderstandSettings(
        value, overload, drain, snapshotInterval, maxTextBytes, staleAfter, forgetAfter, state);
  }

  public UnderstandSettings with(Overload value) {
    return new UnderstandSettings(
        limits, value, drain, snapshotInterval, maxTextBytes, staleAfter, forgetAfter, state);
  }

  public UnderstandSettings withSilence(Duration stale, Duration forget) {
    return new UnderstandSettings(
        limits, overload, drain, snapshotInterval, maxTextBytes, stale, forget, state);
  }

  public UnderstandSettings with(StateRules rules) {
    return new UnderstandSettings(
        limits, overload, drain, snapshotInterval, maxTextBytes, staleAfter, forgetAfter, rules);
  }
}
