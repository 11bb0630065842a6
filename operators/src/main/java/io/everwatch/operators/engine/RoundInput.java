// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.EncodedFrame;
import java.util.List;

/**
 * One chunk for one stream.
 *
 * @param chunk index on the stream's grid; decides the time marker
 * @param frames one per grid point, repeats included (the same instance again)
 * @param dropVision forget the visual rounds first: a long gap lies before; when the round fails
 *     nothing is forgotten, so ask again with the next
 */
public record RoundInput(long chunk, List<EncodedFrame> frames, boolean dropVision) {
  public RoundInput {
    frames = List.copyOf(frames);
  }
}
