// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.StreamSession;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/** The streams that a subtask works on: how each begins, comes back from state, and ends. */
final class StreamTable {
  private final Seat seat;
  private final StreamStore store;
  private final SnapshotWriter snapshots;
  private final SessionOpener sessions;
  private final HeapBound heap;
  private final ProcessingTimeService clock;
  private final StreamLimit limit;
  private final ChunkSettings chunks;
  private final String model;
  private final String numerics;

  private final Map<StreamKey, StreamState> streams = new HashMap<>();
  private final IdentityHashMap<StreamSession, StreamState> bySession = new IdentityHashMap<>();
  private final Set<StreamState> changed = new LinkedHashSet<>();

  StreamTable(
      Engine engine,
      Seat seat,
      StreamStore store,
      SnapshotWriter snapshots,
      SessionOpener sessions,
      HeapBound heap,
      ProcessingTimeService clock,
      StreamLimit limit) {
    this.seat = seat;
    this.store = store;
    this.snapshots = snapshots;
    this.sessions = sessions;
    this.heap = heap;
    this.clock = clock;
    this.limit = limit;
    chunks = TurnMaker.chunks(engine.settings());
    model = engine.modelDigest();
    numerics = engine.numericsIdentity();
  }

  int size() {
    return streams.size();
  }

  Collection<StreamState> all() {
    return List.copyOf(streams.values());
  }

  boolean knows(StreamState stream) {
    return streams.get(stream.key) == stream;
  }

  /** The stream, if it was touched since the operator was opened. */
  Optional<StreamState> known(StreamKey key) {
    return Optional.ofNullable(streams.get(key));
  }

  /**
   * A stream that is only in state comes back, with its session; one that {@link #mustRebuild} gets
   * that with its next chunk.
   */
  Optional<StreamState> restore(StreamKey key) throws Exception {
    Optional<StreamState> stream = wake(key);
    if (stream.isPresent() && !mustRebuild(stream.get())) {
      open(stream.get());
    }
    return stream;
  }

  /** The same without a session, which it gets when a chunk needs one. */
  Optional<StreamState> wake(StreamKey key) throws Exception {
    Optional<StreamState> stream = stored(key);
    if (stream.isPresent()) {
      store.load(key, stream.get().assembled());
      streams.put(key, stream.get());
    }
    return stream;
  }

  /** A stream as it is in state, its pictures there only; it is not in the table. */
  Optional<StreamState> stored(StreamKey key) throws Exception {
    Optional<StoredStream> stored = store.stream(key);
    if (stored.isEmpty()) {
      return Optional.empty();
    }
    StreamState stream = StreamState.restore(key, chunks, stored.get());
    stream.promptDigest = EventBuilder.promptDigest(sessions.settings(stream));
    return Optional.of(stream);
  }

  /** The stream leaves the table and the engine, and stays in state. */
  void sleep(StreamState stream) throws Exception {
    store.save(stream);
    streams.remove(stream.key);
    changed.remove(stream);
    release(stream);
  }

  /** Whether another model made its memory. */
  boolean mustRebuild(StreamState stream) {
    return sessions.mustRebuild(stream);
  }

  /** A stream begins. */
  void add(StreamState stream) {
    streams.put(stream.key, stream);
    limit.begins();
  }

  /** Its end has joined the queue: it makes room for another one. */
  void ending(StreamState stream) {
    stream.ending = true;
    limit.ends();
  }

  /** A stream of which nothing has come; it is not in the table. */
  StreamState nothing(StreamKey key) {
    StreamState stream = StreamState.start(key, chunks, model, numerics);
    stream.promptDigest = EventBuilder.promptDigest(sessions.settings(stream));
    return stream;
  }

  /** Gives the stream its session. */
  void open(StreamState stream) throws Exception {
    StreamSession session = sessions.open(stream);
    bySession.put(session, stream);
    stream.promptDigest = EventBuilder.promptDigest(session.settings());
    changed.add(stream); // its marks and identities may be new
    snapshots.opened(stream, clock.getCurrentProcessingTime());
  }

  /** Whose round it was. */
  StreamState of(RoundResult result) {
    StreamState stream = bySession.get(result.session());
    if (stream == null) {
      throw new IllegalStateException(
          "an answer for stream %s, which has no session; the engine must not answer for a released"
                  .formatted(result.session().streamId())
              + " one");
    }
    return stream;
  }

  /** The memory begins again, empty; the stream goes on. */
  void forget(StreamState stream) throws Exception {
    release(stream);
    store.forget(stream.key);
    stream.forget();
    stream.promptDigest = EventBuilder.promptDigest(sessions.settings(stream));
  }

  /** The stream has ended: nothing of it stays. */
  void drop(StreamState stream) {
    streams.remove(stream.key);
    changed.remove(stream);
    release(stream);
    store.clear(stream.key);
    heap.gone(stream.key);
  }

  private void release(StreamState stream) {
    StreamSession session = stream.session;
    if (session != null) {
      bySession.remove(session);
      seat.release(session);
    }
  }

  /** Is to be stored at the next checkpoint. */
  void changed(StreamState stream) {
    changed.add(stream);
  }

  /** Stores what is not stored with each answer. */
  void save() throws Exception {
    for (StreamState stream : changed) {
      store.save(stream);
    }
    changed.clear();
  }
}
