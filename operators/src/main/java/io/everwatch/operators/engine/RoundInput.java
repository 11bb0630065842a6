// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.EncodedFrame;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One chunk for one stream.
 *
 * @param chunk index on the stream's grid; decides the time marker
 * @param frames one per grid point, repeats included (the same instance again)
 * @param dropVision forget the visual rounds first: a long gap lies before; when the round fails
 *     nothing is forgotten, so ask again with the next
 * @param said the words of the answer, when it was given before and only its rows are wanted; empty
 *     for silence; null: the model answers
 */
public record RoundInput(
    long chunk, List<EncodedFrame> frames, boolean dropVision, @Nullable String said) {
  public RoundInput {
    frames = List.copyOf(frames);
  }

  /** A chunk that the model answers. */
  public RoundInput(long chunk, List<EncodedFrame> frames, boolean dropVision) {
    this(chunk, frames, dropVision, null);
  }

  /** The same chunk with the answer that it had. */
  public RoundInput answered(String text) {
    return new RoundInput(chunk, frames, dropVision, text);
  }
}
