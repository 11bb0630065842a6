// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.camera.CameraFrame;
import io.everwatch.job.camera.FrameSource;
import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.chunk.ChunkAssembler;
import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** The chunks of a frame source, assembled by the rules of the job. Holds the open chunk only. */
public final class SourceChunks {
  private final FrameSource source;
  private final ChunkAssembler<EncodedFrame> assembler;
  private final Deque<Assembled<EncodedFrame>> assembled = new ArrayDeque<>();
  private long frames;
  private boolean ended;

  /** Of a source, which the caller closes. */
  public SourceChunks(FrameSource source, StreamSettings settings) {
    this.source = source;
    this.assembler =
        ChunkAssembler.start(
            new ChunkSettings(
                settings.chunkMicros(),
                settings.framesPerChunk(),
                settings.allowedLatenessMicros(),
                settings.maxGapMicros(),
                settings.maxClockJumpMicros()));
  }

  /** What comes next, chunks and what lies between them; empty at the end. */
  public Optional<Assembled<EncodedFrame>> next() throws IOException {
    while (assembled.isEmpty() && !ended) {
      read();
    }
    return Optional.ofNullable(assembled.poll());
  }

  private void read() throws IOException {
    Optional<CameraFrame> frame = source.next();
    if (frame.isPresent()) {
      assembled.addAll(
          assembler.offer(
              new Frame<>(
                  frames++,
                  frame.get().offsetMicros(),
                  Frame.ARRIVAL_UNKNOWN, // a file is read in a burst, whatever it shows
                  frame.get().picture())));
    } else {
      ended = true;
      assembled.addAll(assembler.finish());
    }
  }

  /** Frames read so far. */
  long frames() {
    return frames;
  }
}
