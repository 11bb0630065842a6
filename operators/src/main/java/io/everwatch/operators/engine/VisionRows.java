// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.VisionClip;

/**
 * Rows that the tower makes of a clip, as many as one piece of a prompt has pads.
 *
 * @param clip all frames of the round
 * @param from first row
 * @param to row behind the last; {@code from} when the piece has none
 */
record VisionRows(VisionClip clip, int from, int to) {
  int count() {
    return to - from;
  }
}
