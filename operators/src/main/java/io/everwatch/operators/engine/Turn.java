// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Context;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.operators.cache.Segment;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.engine.RoundResult.Timings;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A round on its way through the steps: rows it holds, context, what was said so far. Belongs to
 * the step thread. Nothing of it is seen by the session until it is committed.
 */
final class Turn {
  private final Session session;
  private final RoundPlan plan;
  private final int[] kept; // slots of the loaded rows
  private final int[] fresh; // slots of the prompt's rows, then of the answer's
  private final int[] output;
  private final StageClock clock = new StageClock();
  private final int[] slot = new int[1];
  private final float[][] position = new float[3][1];
  private int @Nullable [] script; // the answer's ids, when it was given before
  private @Nullable Context context;
  private int piecesDone;
  private boolean alone; // of the prefill
  private int said;
  private boolean finished;
  private long startedMillis;
  private long prefilledMillis;
  private long firstTokenMillis;

  /**
   * @param fresh {@link RoundPlan#newRows} slots
   */
  Turn(Session session, RoundPlan plan, int[] kept, int[] fresh) {
    this.session = session;
    this.plan = plan;
    this.kept = kept;
    this.fresh = fresh;
    this.output = new int[plan.room()];
  }

  /** Says these ids, whatever the logits are. */
  void prescribe(int[] ids) {
    script = ids;
  }

  /** The next token of a prescribed answer; -1: the logits decide. */
  int prescribed() {
    return script == null ? -1 : script[said];
  }

  Session session() {
    return session;
  }

  RoundPlan plan() {
    return plan;
  }

  StageClock clock() {
    return clock;
  }

  /** How the next token is chosen. */
  Draw draw() {
    return new Draw(session.rules(), session.seed(), plan.round(), said);
  }

  /** Whether the whole prompt is computed, and the first token drawn. */
  boolean prefilled() {
    return piecesDone == plan.prefill().pieces().size();
  }

  /** Whether the prompt is computed in several steps. */
  boolean inPieces() {
    return plan.prefill().pieces().size() > 1;
  }

  /** The part of the prompt that comes next. */
  PrefillPlan.Piece piece() {
    return plan.prefill().pieces().get(piecesDone);
  }

  /** Whether the prompt ends with the piece that comes next. */
  boolean atLastPiece() {
    return piecesDone == plan.prefill().pieces().size() - 1;
  }

  /** Tokens said so far. */
  int said() {
    return said;
  }

  boolean finished() {
    return finished;
  }

  /** Whether another token is to come. */
  boolean speaking() {
    return prefilled() && !finished;
  }

  int lastToken() {
    return output[said - 1];
  }

  /** The next piece, its rows announced; what is remembered is loaded before the first. */
  Network.Prompt begin(Network network, long nowMillis) {
    startedMillis = startedMillis == 0 ? nowMillis : startedMillis;
    Context own = context == null ? load(network) : context;
    PrefillPlan.Piece piece = piece();
    own.extend(
        Arrays.copyOfRange(fresh, piece.from(), piece.to()),
        plan.positions(kept.length + piece.from(), kept.length + piece.to()));
    return new Network.Prompt(
        own,
        Arrays.copyOfRange(plan.prompt(), piece.from(), piece.to()),
        plan.padsOf(piece),
        atLastPiece(),
        piece.selector());
  }

  private Context load(Network network) {
    Context made = network.context();
    context = made;
    if (session.rules().repetitionPenalty() != 1) {
      made.seen(SamplingRules.distinct(plan.proposed().ids()).stream().toArray());
    }
    if (kept.length > 0) {
      made.load(kept, plan.positions(0, kept.length));
    }
    return made;
  }

  /** Announces the row of the last token. */
  Context extend() {
    if (context == null) {
      throw new IllegalStateException("a turn speaks only after its prefill");
    }
    int row = said - 1;
    slot[0] = fresh[plan.prompt().length + row];
    for (int axis = 0; axis < 3; axis++) {
      position[axis][0] = plan.positions()[axis][plan.contextRows() + row];
    }
    context.extend(slot, position);
    return context;
  }

  /** The piece that was begun is computed. */
  void pieceDone(long nowMillis) {
    piecesDone++;
    prefilledMillis = nowMillis;
  }

  /**
   * @param stops whether the token ends the turn
   */
  void say(int token, boolean stops, long nowMillis) {
    if (said == 0) {
      firstTokenMillis = nowMillis;
    }
    output[said++] = token;
    finished = stops || said == output.length;
  }

  /** Whether it takes no part in the passes of others, since one of them was refused. */
  boolean alone() {
    return alone;
  }

  /** Forgets what was computed, to do it again alone; the slots stay. */
  void restart() {
    alone = true;
    closeContext();
    piecesDone = 0;
    said = 0;
    finished = false;
  }

  /**
   * Makes the round part of its session's memory and gives back what was not needed.
   *
   * @return the ids said
   */
  int[] commit(TurnEnding ending, RowSlots slots) {
    closeContext();
    int[] ids = Arrays.copyOf(output, said);
    int rows = plan.prompt().length + said - 1; // the last token was not fed
    slots.release(fresh, rows, fresh.length);
    slots.retain(kept); // the state before keeps its hold of them too
    int[] all = Arrays.copyOf(kept, kept.length + rows);
    System.arraycopy(fresh, 0, all, kept.length, rows);
    Segment answer =
        new Segment(
            plan.nextSegment(),
            SegmentKind.GENERATED,
            plan.round(),
            ending.remembered(ids),
            null,
            plan.proposed().nativeEnd());
    StreamMemory memory =
        plan.proposed().append(List.of(Slice.whole(answer))).withCachedRows(all.length);
    session.commit(new Committed(memory, plan.round() + 1, plan.nextSegment() + 1), all, slots);
    return ids;
  }

  /** Gives back all that the round took: it failed, or nobody wants it. */
  void abandon(RowSlots slots) {
    closeContext();
    slots.release(fresh);
  }

  void closeContext() {
    if (context != null) {
      context.close();
      context = null;
    }
  }

  Timings timings(long nowMillis) {
    return new Timings(startedMillis, prefilledMillis, firstTokenMillis, nowMillis, clock.stages());
  }
}
