// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.camera.FrameSource;
import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.util.Optional;

/**
 * The chunks of a frame source, assembled by the rules of the job. What makes no round (gaps, dead
 * frames) is told in its place between the others.
 */
final class SourceRounds implements Rounds {
  /** Hears what became of the source, in the stream's order. */
  interface Listener {
    void answered(Assembled.Chunk<EncodedFrame> chunk, RoundResult result);

    void gap(Assembled.Gap<EncodedFrame> gap);

    void dead(Assembled.DeadFrame<EncodedFrame> frame);
  }

  private final String streamId;
  private final StreamSettings settings;
  private final Listener listener;
  private final SourceChunks chunks;
  private Optional<Assembled.Chunk<EncodedFrame>> underWay = Optional.empty();

  SourceRounds(String streamId, StreamSettings settings, FrameSource source, Listener listener) {
    this.streamId = streamId;
    this.settings = settings;
    this.listener = listener;
    this.chunks = new SourceChunks(source, settings);
  }

  @Override
  public String streamId() {
    return streamId;
  }

  @Override
  public StreamSettings settings() {
    return settings;
  }

  @Override
  public Optional<RoundInput> next() throws IOException {
    while (underWay.isEmpty()) {
      Optional<Assembled<EncodedFrame>> assembled = chunks.next();
      if (assembled.isEmpty()) {
        return Optional.empty();
      }
      underWay =
          assembled
              .get()
              .match(
                  Optional::of,
                  gap -> {
                    listener.gap(gap);
                    return Optional.empty();
                  },
                  dead -> {
                    listener.dead(dead);
                    return Optional.empty();
                  });
    }
    Assembled.Chunk<EncodedFrame> chunk = underWay.get();
    return Optional.of(
        new RoundInput(
            chunk.index(),
            chunk.frames().stream().map(Frame::payload).toList(),
            chunk.dropVision()));
  }

  @Override
  public void answered(RoundResult result) {
    Assembled.Chunk<EncodedFrame> chunk = underWay.orElseThrow();
    underWay = Optional.empty();
    listener.answered(chunk, result);
  }

  /** Frames read so far. */
  long frames() {
    return chunks.frames();
  }
}
