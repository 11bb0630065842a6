// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.CorruptSnapshotException;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.LogContext;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.SessionSnapshot;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.model.SamplingChanges;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.schemas.avro.Mark;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a stream its session: a new one, the one of its stored memory, or, when that cannot be
 * used, one rebuilt from its log. Whatever is wrong with one stream's memory concerns that stream
 * only.
 */
final class SessionOpener {
  private static final Logger LOG = LoggerFactory.getLogger(SessionOpener.class);

  private final Engine engine;
  private final Seat seat;
  private final StreamStore store;

  SessionOpener(Engine engine, Seat seat, StreamStore store) {
    this.engine = engine;
    this.seat = seat;
    this.store = store;
  }

  /** Opens the session; the rounds that the log holds are to be run again before anything else. */
  StreamSession open(StreamState stream) throws Exception {
    try (var context = LogContext.of(stream.key.streamId())) {
      return openInContext(stream);
    }
  }

  private StreamSession openInContext(StreamState stream) throws Exception {
    checkNumerics(stream);
    Optional<MemoryName> memory = store.memory(stream.key);
    long nextNumber = memory.map(MemoryName::number).orElse(0L) + 1;
    store.dropUnfinished(stream.key, nextNumber);
    stream.nextReplayed = memory.map(MemoryName::nextLogged).orElse(0L);
    stream.memoryBytes = memory.map(MemoryName::sizeBytes).orElse(0L);

    boolean sameModel = stream.model.equals(engine.modelDigest());
    StreamSession session =
        sameModel && memory.isPresent()
            ? restored(stream, memory.get())
            : seat.create(stream.key.streamId(), settings(stream));
    if (memory.isEmpty()) {
      begin(stream, session);
    }
    if (!sameModel) {
      rebuilt(
          stream,
          "its memory was made by model %.16s, and this is model %.16s"
              .formatted(stream.model, engine.modelDigest()));
      stream.model = engine.modelDigest();
    }
    stream.session = session;
    return session;
  }

  /**
   * Of a new session of the stream. Without its changes of sampling: each round brings its own, so
   * that a round of the log is run again as it was made.
   */
  StreamSettings settings(StreamState stream) {
    String instruction = stream.orders.instruction();
    return instruction == null ? engine.settings() : engine.settings().withInstruction(instruction);
  }

  /**
   * Stores the settings at once: whether the first memory was written in time is a matter of luck.
   */
  private void begin(StreamState stream, StreamSession session) throws Exception {
    SessionSnapshot beginning =
        SessionSnapshot.beginning(
            stream.key.streamId(),
            session.settings(),
            engine.modelDigest(),
            engine.numericsIdentity());
    for (int i = 0; i < beginning.pieces().size(); i++) {
      store.putPiece(stream.key, 1, i, beginning.pieces().get(i));
    }
    store.complete(stream.key, new MemoryName(1, beginning.pieces().size(), 0, 0));
  }

  private StreamSession restored(StreamState stream, MemoryName memory) throws Exception {
    try {
      StreamSession session = seat.restore(store.snapshot(stream.key, memory));
      // what commands have changed is meant to differ
      Map<String, String> changes = stream.orders.sampling();
      KeptSettings.differing(
              SamplingChanges.apply(session.settings(), changes),
              SamplingChanges.apply(settings(stream), changes))
          .ifPresent(
              differing ->
                  LOG.warn(
                      "stream {} keeps the settings that it began with, though the job's are others"
                          + " now: {}; they hold for streams that begin from now on; to change this"
                          + " one, end it (end-of-stream record) or start the job without its state",
                      stream.key.streamId(),
                      differing));
      return session;
    } catch (CorruptSnapshotException e) {
      rebuilt(stream, "its memory cannot be used (%s)".formatted(e.getMessage()));
      return seat.create(stream.key.streamId(), settings(stream));
    }
  }

  /** One round of the log has been run again: compares what was said with what it came to then. */
  void replayed(StreamState stream, LoggedRound logged, RoundResult result) {
    stream.logBytes += logged.sizeBytes();
    if (!logged.cameTo(result.outcome()) && stream.marks.isEmpty()) {
      try (var context = LogContext.of(stream.key.streamId(), result.input().chunk())) {
        LOG.error(
            "stream {}: chunk {}, run again after a restore, said something else than before ({});"
                + " expected the same text; its events go on, marked REBUILT; please report this"
                + " with the checkpoint",
            stream.key.streamId(),
            result.input().chunk(),
            result.outcome());
      }
      stream.marks.add(Mark.REBUILT);
    }
  }

  private void checkNumerics(StreamState stream) {
    if (!stream.numerics.equals(engine.numericsIdentity())) {
      LOG.warn(
          "stream {}: its memory was made with numerics {}, and this process computes with {};"
              + " expected the same device, build and profile; it goes on from its memory, its next"
              + " event is marked NUMERICS_CHANGED and texts may differ",
          stream.key.streamId(),
          stream.numerics,
          engine.numericsIdentity());
      stream.marks.add(Mark.NUMERICS_CHANGED);
      stream.numerics = engine.numericsIdentity();
    }
  }

  private static void rebuilt(StreamState stream, String why) {
    LOG.warn(
        "stream {}: {}; it begins with an empty memory and the {} chunks of its log, which is all"
            + " that this release rebuilds from; its next event is marked REBUILT, and other streams"
            + " are as they were",
        stream.key.streamId(),
        why,
        stream.nextLogged - stream.nextReplayed);
    stream.marks.add(Mark.REBUILT);
  }
}
