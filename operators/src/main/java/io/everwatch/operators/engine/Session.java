// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.CounterRandom;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.operators.cache.RetentionPolicy;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.model.StreamSettings;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stream's state between rounds. {@code committed} may be read by anyone; where the rows lie
 * belongs to the step thread.
 */
final class Session implements StreamSession {
  /** What a session is doing, as its seat sees it. */
  enum Phase {
    IDLE,
    RUNNING,
    RELEASED
  }

  private final Object owner;
  private final String streamId;
  private final RetentionPolicy policy;
  private volatile Sampling sampling;
  private Phase phase = Phase.IDLE; // guarded by this
  private volatile Committed committed;

  private SessionRows rows;
  private @Nullable State previous;
  private long lastUsed;

  /** The settings, and what follows from them for the choice of tokens; replaced as a whole. */
  private record Sampling(StreamSettings settings, SamplingRules rules, long seed) {
    static Sampling of(StreamSettings settings, String streamId) {
      return new Sampling(
          settings,
          new SamplingRules(
              settings.repetitionPenalty(),
              settings.temperature(),
              settings.topK(),
              settings.topP()),
          CounterRandom.streamSeed(settings.seed(), streamId));
    }
  }

  /** A committed state with its rows. */
  record State(Committed committed, SessionRows rows) {}

  Session(
      Object owner, String streamId, StreamSettings settings, RetentionPolicy policy, State state) {
    this.owner = owner;
    this.streamId = streamId;
    this.policy = policy;
    this.sampling = Sampling.of(settings, streamId);
    this.committed = state.committed();
    this.rows = state.rows();
  }

  @Override
  public String streamId() {
    return streamId;
  }

  @Override
  public StreamSettings settings() {
    return sampling.settings();
  }

  @Override
  public long rounds() {
    return committed.rounds();
  }

  @Override
  public StreamMemory memory() {
    return committed.memory();
  }

  /** Whose it is; compared by identity. */
  Object owner() {
    return owner;
  }

  Committed committed() {
    return committed;
  }

  RetentionPolicy policy() {
    return policy;
  }

  SamplingRules rules() {
    return sampling.rules();
  }

  /** Key of this stream's random draws. */
  long seed() {
    return sampling.seed();
  }

  /** The next round is sampled by these; the caller saw to it that none is running. */
  void resample(StreamSettings settings) {
    sampling = Sampling.of(settings, streamId);
  }

  synchronized Phase phase() {
    return phase;
  }

  /** Whether it was in {@code from}, and so is in {@code to} now. */
  synchronized boolean changePhase(Phase from, Phase to) {
    if (phase != from) {
      return false;
    }
    phase = to;
    return true;
  }

  /** Returns what it was doing. */
  synchronized Phase releasePhase() {
    Phase before = phase;
    phase = Phase.RELEASED;
    return before;
  }

  // --- step thread ---

  SessionRows rows() {
    return rows;
  }

  long lastUsed() {
    return lastUsed;
  }

  void used(long step) {
    lastUsed = step;
  }

  /** Puts the state of a finished round in the place of the one it began with, which is kept. */
  void commit(Committed next, int[] slots, RowSlots free) {
    forgetPrevious(free);
    previous = new State(committed, rows);
    rows = SessionRows.inPool(slots);
    committed = next;
  }

  /** The committed state, or the one before it, that has made {@code wanted} rounds. */
  State state(long wanted) {
    if (committed.rounds() == wanted) {
      return new State(committed, rows);
    }
    if (previous != null && previous.committed().rounds() == wanted) {
      return previous;
    }
    throw new IllegalArgumentException(
        "stream %s has made %d rounds, but its state after %d was asked for; kept are the last state and, until the next round is submitted, the one before"
            .formatted(streamId, committed.rounds(), wanted));
  }

  /** A new round was submitted: nobody will ask for the state before the last one. */
  void forgetPrevious(RowSlots free) {
    if (previous != null) {
      free.release(previous.rows().slots());
      previous = null;
    }
  }

  void load(RowPool pool, RowSlots free) {
    rows = rows.load(pool, free);
  }

  /** Copies the rows to host memory and gives their slots back. */
  void evict(RowPool pool, RowSlots free) {
    State before = previous;
    if (before == null) {
      SessionRows away = rows.copy(pool);
      free.release(rows.slots());
      rows = away;
      return;
    }
    List<SessionRows> away = SessionRows.copy(pool, rows, before.rows());
    free.release(rows.slots());
    free.release(before.rows().slots());
    rows = away.get(0);
    previous = new State(before.committed(), away.get(1));
  }

  /** Gives all slots back. */
  void free(RowSlots free) {
    forgetPrevious(free);
    free.release(rows.slots());
    rows = SessionRows.NONE;
  }

  @Override
  public String toString() {
    return "stream %s after %d rounds, %d rows"
        .formatted(streamId, committed.rounds(), committed.memory().cachedRows());
  }
}
