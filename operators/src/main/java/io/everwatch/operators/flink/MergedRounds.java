// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.flink.OverloadDecisions.Candidate;
import io.everwatch.operators.flink.StreamState.Queued;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which chunks of a stream make its next round: one, or under overload several (docs/adr/0013).
 *
 * <p>Several are decided on once, when the engine has a place for the first, and kept in state
 * until the round is answered: a restore submits the same round again.
 */
final class MergedRounds {
  private static final Logger LOG = LoggerFactory.getLogger(MergedRounds.class);

  /** Refusals that are told of one by one. */
  private static final int TOLD = 20;

  private final OverloadDecisions decisions;
  private final Skips skips;
  private final StreamTable streams;
  private final long maxBytes;
  private int told;
  private boolean inputEnded;

  /**
   * @param maxBytes of the pictures of a round, unless a single chunk has more
   */
  MergedRounds(OverloadDecisions decisions, Skips skips, StreamTable streams, long maxBytes) {
    this.decisions = decisions;
    this.skips = skips;
    this.streams = streams;
    this.maxBytes = maxBytes;
  }

  /** Nothing more will come: no decision waits for its chunks any longer. */
  void inputEnded() {
    inputEnded = true;
  }

  /** The chunk at the head of the queue is to be understood: decides together with which others. */
  void decide(StreamState stream, StreamSettings settings, ChunkTurn head) {
    stream.merge = null;
    if (head.chunk().index() <= stream.aloneThrough) {
      return;
    }
    long furthest = head.chunk().index() + mostChunks(settings) - 1;
    List<Candidate> candidates = new ArrayList<>();
    long bytes = 0;
    for (Queued queued : inARow(stream, furthest)) {
      bytes += queued.bytes();
      if (!candidates.isEmpty() && bytes > maxBytes) {
        break;
      }
      ChunkTurn turn = (ChunkTurn) queued.turn();
      candidates.add(skips.candidate(stream, turn, stream.isNewest(turn.chunk().index())));
    }
    long last = decisions.through(candidates);
    if (last > head.chunk().index()) {
      stream.merge = new MergedChunks(head.chunk().index(), last);
      streams.changed(stream);
    }
  }

  /**
   * Chunks of a round at most: the pictures of all must be in the visual window at its end, and the
   * last turn before it in the text window, since its last token has no row before this prefill.
   */
  private static int mostChunks(StreamSettings settings) {
    return Math.min(settings.visualRounds(), settings.textRounds() - 1);
  }

  /**
   * The chunks of the round that was decided on.
   *
   * @return empty: some of them are still to come, which is so of decisions that were recorded only
   */
  List<ChunkTurn> next(StreamState stream) {
    MergedChunks merge = stream.merge;
    if (merge == null) {
      return List.of((ChunkTurn) stream.queue.element().turn());
    }
    List<ChunkTurn> chunks =
        inARow(stream, merge.last()).stream().map(queued -> (ChunkTurn) queued.turn()).toList();
    boolean complete =
        chunks.get(chunks.size() - 1).chunk().index() == merge.last()
            || chunks.size() < stream.queue.size() // something else follows
            || inputEnded;
    return complete ? chunks : List.of();
  }

  /**
   * The chunks from the head of the queue on that may make one round, up to this one: each follows
   * the one before without a gap, a command or a change of the grid, and forgets nothing.
   */
  private static List<Queued> inARow(StreamState stream, long last) {
    List<Queued> row = new ArrayList<>();
    ChunkTurn before = null;
    for (Queued queued : stream.queue) {
      if (!(queued.turn() instanceof ChunkTurn turn)
          || turn.chunk().index() > last
          || (before != null && !follows(before, turn))) {
        break;
      }
      row.add(queued);
      before = turn;
    }
    return row;
  }

  private static boolean follows(ChunkTurn before, ChunkTurn turn) {
    return turn.chunk().index() == before.chunk().index() + 1
        && !turn.chunk().clockReset()
        && !turn.chunk().dropVision()
        && turn.chunk().frames().size() == before.chunk().frames().size();
  }

  /** The engine did not take them up at once: nothing was made, and each has a round of its own. */
  void refused(StreamState stream, MergedChunks merge, Failed why) {
    stream.merge = null;
    stream.aloneThrough = merge.last();
    streams.changed(stream);
    if (told < TOLD) {
      told++;
      LOG.warn(
          "stream {}: chunks {} to {} could not be taken up in one round ({}); expected room and"
              + " pictures for it; they are understood one by one; lower overload.merge-chunks if"
              + " this is so again{}",
          stream.key.streamId(),
          merge.first(),
          merge.last(),
          why.reason(),
          told < TOLD ? "" : "; further ones are not told of");
    }
  }
}
