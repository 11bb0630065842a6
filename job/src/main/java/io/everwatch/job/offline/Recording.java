// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.camera.FrameSource;
import io.everwatch.job.camera.LimitedSource;
import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A part of a source that can be read again from its beginning.
 *
 * @param source opens it at its beginning
 * @param from chunks that begin earlier are passed over
 * @param to where it ends at the latest
 */
public record Recording(Source source, Duration from, Duration to) {
  /** Opens a source. */
  @FunctionalInterface
  public interface Source {
    FrameSource open() throws IOException;
  }

  /** Its chunks from the first to the last; one is held at a time. */
  final class Chunks implements AutoCloseable {
    private final FrameSource open;
    private final SourceChunks chunks;

    private Chunks(StreamSettings settings) throws IOException {
      open = source.open();
      chunks = new SourceChunks(new LimitedSource(open, to), settings);
    }

    /** Empty at the end. What lies between chunks is not looked at. */
    Optional<Assembled.Chunk<EncodedFrame>> next() throws IOException {
      long first = TimeUnit.NANOSECONDS.toMicros(from.toNanos());
      while (true) {
        Optional<Assembled<EncodedFrame>> assembled = chunks.next();
        if (assembled.isEmpty()) {
          return Optional.empty();
        }
        Optional<Assembled.Chunk<EncodedFrame>> chunk =
            assembled.get().match(Optional::of, gap -> Optional.empty(), dead -> Optional.empty());
        if (chunk.isPresent() && chunk.get().startMicros() >= first) {
          return chunk;
        }
      }
    }

    @Override
    public void close() throws IOException {
      open.close();
    }
  }

  Chunks open(StreamSettings settings) throws IOException {
    return new Chunks(settings);
  }
}
