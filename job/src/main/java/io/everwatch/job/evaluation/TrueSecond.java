// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import io.everwatch.operators.model.EncodedFrame;
import java.util.List;

/**
 * One second of a camera whose truth is known.
 *
 * @param truth what happened, as a sentence of the scene's grammar; empty = nothing
 * @param frames in their order, evenly spread
 * @param questions what may be asked at its end
 */
public record TrueSecond(String truth, List<EncodedFrame> frames, List<Question> questions) {
  public TrueSecond {
    frames = List.copyOf(frames);
    questions = List.copyOf(questions);
  }
}
