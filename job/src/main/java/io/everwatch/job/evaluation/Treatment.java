// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

/**
 * What an evaluation does to its streams that no setting of theirs says.
 *
 * @param rebuildEvery seconds after which a stream's memory is thrown away and made again in one
 *     prefill of its past; {@link #NEVER}
 * @param wordsOnly whether that past is what was said, without the pictures
 * @param restartEvery seconds after which a stream begins with nothing but its earlier words as
 *     standing text: the sliding window without overlap; {@link #NEVER}
 * @param blind whether all pictures are black
 * @param askEvery seconds between questions, where the scene has one; {@link #NEVER}
 */
public record Treatment(
    long rebuildEvery, boolean wordsOnly, long restartEvery, boolean blind, long askEvery) {
  public static final long NEVER = Long.MAX_VALUE;

  /** Streams as they are. */
  public static final Treatment NONE = new Treatment(NEVER, false, NEVER, false, NEVER);

  public Treatment {
    if (rebuildEvery < 1 || restartEvery < 1 || askEvery < 1) {
      throw new IllegalArgumentException(
          "memories made again every %d s, streams begun again every %d s, questions every %d s; expected at least 1 each"
              .formatted(rebuildEvery, restartEvery, askEvery));
    }
    if (rebuildEvery != NEVER && restartEvery != NEVER) {
      throw new IllegalArgumentException(
          "memories made again every %d s and streams begun again every %d s; expected one of both: a stream that begins again has no memory to make"
              .formatted(rebuildEvery, restartEvery));
    }
  }

  public Treatment withRebuildEvery(long seconds) {
    return new Treatment(seconds, wordsOnly, restartEvery, blind, askEvery);
  }

  public Treatment withWordsOnly(boolean value) {
    return new Treatment(rebuildEvery, value, restartEvery, blind, askEvery);
  }

  public Treatment withRestartEvery(long seconds) {
    return new Treatment(rebuildEvery, wordsOnly, seconds, blind, askEvery);
  }

  public Treatment withBlind(boolean value) {
    return new Treatment(rebuildEvery, wordsOnly, restartEvery, value, askEvery);
  }

  public Treatment withAskEvery(long seconds) {
    return new Treatment(rebuildEvery, wordsOnly, restartEvery, blind, seconds);
  }
}
