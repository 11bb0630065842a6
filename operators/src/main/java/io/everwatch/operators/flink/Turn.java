// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled;

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

  record ChunkTurn(Assembled.Chunk<SourcedFrame> chunk, long timestamp, long closedMillis)
      implements Turn {}

  record GapTurn(Assembled.Gap<SourcedFrame> gap, long timestamp, long closedMillis)
      implements Turn {}

  /**
   * A command; takes effect before the chunk that is closed next.
   *
   * @param isNew it began the stream
   */
  record CommandTurn(
      Command command,
      Origin origin,
      boolean isNew,
      long arrivalMillis,
      long timestamp,
      long closedMillis)
      implements Turn {}

  /**
   * The end-of-stream record.
   *
   * @param tail surplus and duplicates that came after the last chunk was closed
   */
  record EndTurn(
      Origin origin,
      long sequence,
      long arrivalMillis,
      Assembled.Counts tail,
      long timestamp,
      long closedMillis)
      implements Turn {}
}
