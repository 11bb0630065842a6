// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.EncodedFrame;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One chunk for one stream; with {@code earlier}, several in one prefill.
 *
 * @param chunk index on the stream's grid; decides the time marker
 * @param frames one per grid point, repeats included (the same instance again)
 * @param dropVision forget the visual rounds first: a long gap lies before; when the round fails
 *     nothing is forgotten, so ask again with the next
 * @param said the words of the answer, when it was given before and only its rows are wanted; empty
 *     for silence; null: the model answers
 * @param question stands behind the pictures of this user turn; mostly empty
 * @param earlier answered chunks before this one, oldest first, that are not part of the memory
 *     yet: their rounds come into it with the prefill of this one, answers included. One without
 *     frames is remembered by its words alone; one of whose frames none can be used makes no round,
 *     and what it was to forget is forgotten with the next. What leaves the memory before this
 *     chunk is answered is never computed
 */
public record RoundInput(
    long chunk,
    List<EncodedFrame> frames,
    boolean dropVision,
    @Nullable String said,
    String question,
    List<RoundInput> earlier) {
  public RoundInput {
    frames = List.copyOf(frames);
    earlier = List.copyOf(earlier);
    for (RoundInput one : earlier) {
      if (one.said == null || !one.earlier.isEmpty()) {
        throw new IllegalArgumentException(
            "chunk %d before chunk %d has %s; expected an answered chunk without earlier ones: only the last one of a prefill is answered by the model"
                .formatted(
                    one.chunk,
                    chunk,
                    one.said == null ? "no answer" : one.earlier.size() + " earlier ones"));
      }
    }
  }

  /** A chunk that the model answers. */
  public RoundInput(long chunk, List<EncodedFrame> frames, boolean dropVision) {
    this(chunk, frames, dropVision, null, "", List.of());
  }

  /** The same chunk with the answer that it had. */
  public RoundInput answered(String text) {
    return new RoundInput(chunk, frames, dropVision, text, question, earlier);
  }

  /** The same chunk, of which this is asked. */
  public RoundInput asked(String text) {
    return new RoundInput(chunk, frames, dropVision, said, text, earlier);
  }

  /** The same chunk, remembered by its words alone. */
  public RoundInput withoutFrames() {
    return new RoundInput(chunk, List.of(), dropVision, said, question, earlier);
  }

  /** The same chunk, with these before it. */
  public RoundInput after(List<RoundInput> chunks) {
    return new RoundInput(chunk, frames, dropVision, said, question, chunks);
  }

  /** The same chunk, forgetting the visual rounds first or not. */
  RoundInput droppingVision(boolean drop) {
    return drop == dropVision ? this : new RoundInput(chunk, frames, drop, said, question, earlier);
  }

  /** Frames of all its chunks at most, when each fills its last pair. */
  int mostFrames() {
    int own = frames.isEmpty() ? 0 : frames.size() + 1;
    return own + earlier.stream().mapToInt(RoundInput::mostFrames).sum();
  }
}
