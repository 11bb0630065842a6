// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled;
import java.util.Optional;
import java.util.Set;

/**
 * What waits in a stream's queue until all before it has been answered; stored as it is when a
 * checkpoint comes in between.
 */
sealed interface Turn {
  /** No timestamp: the source gives none. */
  long NO_TIMESTAMP = Long.MIN_VALUE;

  /** Flink's timestamp of the record that brought it about, for what is sent downstream. */
  long timestamp();

  /** Wall-clock milliseconds at which it came about; for headers only. */
  long closedMillis();

  /** Frames whose pictures it brings along, each once. */
  default Set<SourcedFrame> frames() {
    return Set.of();
  }

  record ChunkTurn(Assembled.Chunk<SourcedFrame> chunk, long timestamp, long closedMillis)
      implements Turn {
    @Override
    public Set<SourcedFrame> frames() {
      Set<SourcedFrame> frames = StoredPictures.identities();
      chunk.frames().forEach(frame -> frames.add(frame.payload()));
      return frames;
    }
  }

  /**
   * A chunk that was skipped under overload while others of its stream were before it. Its pictures
   * are gone; what an event will tell of it waits until it is the stream's next.
   *
   * @param run of this chunk alone
   * @param dropVision the chunk was to forget the visual rounds; now the next one is
   */
  record SkippedTurn(SkippedRun run, boolean dropVision, long timestamp, long closedMillis)
      implements Turn {
    static SkippedTurn of(ChunkTurn turn, String reason) {
      return new SkippedTurn(
          SkippedRun.of(turn.chunk(), reason),
          turn.chunk().dropVision(),
          turn.timestamp(),
          turn.closedMillis());
    }
  }

  record GapTurn(Assembled.Gap<SourcedFrame> gap, long timestamp, long closedMillis)
      implements Turn {}

  /**
   * A command; takes effect before the chunk that is closed next.
   *
   * @param isNew it began the stream
   * @param beganMicros what names the life of the stream when the command came; 0 when no frame had
   * @param afterFrame the newest frame record that the stream had taken then: with it the order of
   *     all its records is known
   */
  record CommandTurn(
      Command command,
      Origin origin,
      boolean isNew,
      long beganMicros,
      Optional<Origin> afterFrame,
      long arrivalMillis,
      long timestamp,
      long closedMillis)
      implements Turn {}

  /**
   * The end of the stream.
   *
   * @param origin of the end-of-stream record; of a stream that was forgotten, of its last frame
   * @param sequence of that record; -1: it was forgotten
   * @param reason why it was forgotten; empty: it was not
   * @param tail surplus and duplicates that came after the last chunk was closed
   */
  record EndTurn(
      Optional<Origin> origin,
      long sequence,
      String reason,
      long arrivalMillis,
      Assembled.Counts tail,
      long timestamp,
      long closedMillis)
      implements Turn {}
}
