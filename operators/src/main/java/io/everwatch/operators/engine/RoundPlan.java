// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.model.VisionClip;
import java.util.Arrays;
import java.util.List;

/**
 * What one round will compute: a pure function of the committed state, the settings and the chunk,
 * made before the step by a worker.
 *
 * @param round number of the round, of several that of the last
 * @param shown the clips whose rows are computed, in the order of the prompt
 * @param kept the memory after compaction: its cached rows are loaded
 * @param proposed the memory with the prompt of the round behind it
 * @param prompt ids of the rows to compute: those of {@code kept} without K and V, then the round's
 * @param enteredRows rows that come into the memory before the answer, of all its chunks
 * @param positions {@code [3][rows of proposed + room]}, answer included
 * @param room tokens that the answer may have
 * @param nextSegment id of the answer's segment
 * @param prefill how the prompt is cut
 */
record RoundPlan(
    long round,
    List<Shown> shown,
    StreamMemory kept,
    StreamMemory proposed,
    int[] prompt,
    int enteredRows,
    float[][] positions,
    int room,
    long nextSegment,
    PrefillPlan prefill) {
  RoundPlan {
    shown = List.copyOf(shown);
  }

  /**
   * A clip and its place.
   *
   * @param from index in {@code prompt} of its first pad
   * @param count vision tokens
   */
  record Shown(VisionClip clip, int from, int count) {
    /** Its rows in a piece of the prompt. */
    private VisionRows rows(PrefillPlan.Piece piece) {
      return new VisionRows(clip, row(piece.from()), row(piece.to()));
    }

    /** The places of these, counted from the start of the piece. */
    private Network.Pads pads(PrefillPlan.Piece piece) {
      int first = row(piece.from());
      return new Network.Pads(from + first - piece.from(), row(piece.to()) - first);
    }

    /** The first row that does not stand before {@code place}. */
    private int row(int place) {
      return Math.min(Math.max(place - from, 0), count);
    }
  }

  /** Rows that the round computes at most: the last token of an answer is not fed. */
  int newRows() {
    return prompt.length + room - 1;
  }

  /** Rows attended over at the end of the prefill. */
  int contextRows() {
    return kept.cachedRows() + prompt.length;
  }

  /** Vision rows of a piece of the prompt, clip after clip. */
  List<VisionRows> visionOf(PrefillPlan.Piece piece) {
    return shown.stream().map(clip -> clip.rows(piece)).filter(rows -> rows.count() > 0).toList();
  }

  /** The places of these, counted from the start of the piece. */
  List<Network.Pads> padsOf(PrefillPlan.Piece piece) {
    return shown.stream().map(clip -> clip.pads(piece)).filter(pads -> pads.count() > 0).toList();
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
