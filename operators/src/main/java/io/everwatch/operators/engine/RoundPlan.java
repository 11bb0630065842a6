// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.model.VisionClip;
import java.util.Arrays;

/**
 * What one round will compute: a pure function of the committed state, the settings and the chunk,
 * made before the step by a worker.
 *
 * @param round number of the round
 * @param clip the chunk's frames
 * @param kept the memory after compaction: its cached rows are loaded
 * @param proposed the memory with the prompt of the round behind it
 * @param prompt ids of the rows to compute: those of {@code kept} without K and V, then the round's
 * @param padsFrom index in {@code prompt} of the first pad
 * @param pads vision tokens
 * @param positions {@code [3][rows of proposed + room]}, answer included
 * @param room tokens that the answer may have
 * @param nextSegment id of the answer's segment
 * @param prefill how the prompt is cut
 */
record RoundPlan(
    long round,
    VisionClip clip,
    StreamMemory kept,
    StreamMemory proposed,
    int[] prompt,
    int padsFrom,
    int pads,
    float[][] positions,
    int room,
    long nextSegment,
    PrefillPlan prefill) {

  /** Rows that the round computes at most: the last token of an answer is not fed. */
  int newRows() {
    return prompt.length + room - 1;
  }

  /** Rows attended over at the end of the prefill. */
  int contextRows() {
    return kept.cachedRows() + prompt.length;
  }

  /** Vision rows of a piece of the prompt. */
  VisionRows visionOf(PrefillPlan.Piece piece) {
    int from = Math.min(Math.max(piece.from(), padsFrom), padsFrom + pads);
    int to = Math.min(Math.max(piece.to(), padsFrom), padsFrom + pads);
    return new VisionRows(clip, from - padsFrom, to - padsFrom);
  }

  /** Positions of rows {@code [from, to)}: {@code [3][to - from]}. */
  float[][] positions(int from, int to) {
    return new float[][] {
      Arrays.copyOfRange(positions[0], from, to),
      Arrays.copyOfRange(positions[1], from, to),
      Arrays.copyOfRange(positions[2], from, to)
    };
  }
}
