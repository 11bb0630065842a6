// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.AssemblerState;
import io.everwatch.schemas.avro.Mark;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is stored of a stream beside its memory, its log and its queue.
 *
 * @param assembler the open chunk and the grid
 * @param nextLogged number that the next round of the log gets
 * @param nextChunk the chunk after the last one that was closed
 * @param endMicros where that last one ended
 * @param dropVision a round that was to forget the visual rounds failed: the next one must
 * @param marks for the next event
 * @param model digest of the model that made the memory
 * @param numerics identity under which it was made
 * @param orders what commands have made of it
 * @param seenMillis when its last record came; processing time, for {@code staleAfter} and {@code
 *     forgetAfter} only
 * @param staleChunk chunk before which its silence was told last; -1: never
 * @param lastFrame the newest record of the frames topic that it took, without its key
 * @param nextPicture number that the next of its pictures gets in state
 * @param skipped none or one: chunks that were skipped and that no event has told of yet
 * @param merge none or one: chunks at the head of the queue that are understood together
 * @param aloneThrough the engine refused a round of several chunks: those up to this one have one
 *     each; -1: never
 * @param computed rows that came into its memory so far
 */
record StoredStream(
    AssemblerState<SourcedFrame> assembler,
    long nextLogged,
    long nextChunk,
    long endMicros,
    boolean dropVision,
    Set<Mark> marks,
    String model,
    String numerics,
    StreamOrders orders,
    long seenMillis,
    long staleChunk,
    Optional<Origin> lastFrame,
    long nextPicture,
    List<SkippedRun> skipped,
    List<MergedChunks> merge,
    long aloneThrough,
    ComputedRows computed) {
  /** Nothing was told of its silence. */
  static final long NEVER_STALE = -1;

  StoredStream {
    skipped = List.copyOf(skipped);
    merge = List.copyOf(merge);
  }
}
