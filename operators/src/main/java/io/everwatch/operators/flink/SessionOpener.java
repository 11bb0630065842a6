// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.CorruptSnapshotException;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.LogContext;
import io.everwatch.operators.engine.RebuiltMemory;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.SessionSnapshot;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.model.SamplingChanges;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.schemas.avro.Mark;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a stream its session: a new one, the one of its stored memory, or, when that cannot be
 * used, one rebuilt from the words of the memory and the chunks of the log. Whatever is wrong with
 * one stream's memory concerns that stream only.
 *
 * <p>What a rebuilt stream begins with is stored at once, in the place of what could not be used:
 * from then on it is restored like any other, to the same bytes, however often.
 */
final class SessionOpener {
  private static final Logger LOG = LoggerFactory.getLogger(SessionOpener.class);

  /** Streams that are told of one by one. */
  private static final int TOLD = 20;

  private final Engine engine;
  private final Seat seat;
  private final StreamStore store;
  private final OperatorMetrics metrics;
  private int told;

  /** Why a memory is rebuilt. */
  enum Cause {
    /** A piece is damaged or missing. */
    DAMAGED,
    /** Another model made it. */
    MODEL
  }

  SessionOpener(Engine engine, Seat seat, StreamStore store, OperatorMetrics metrics) {
    this.engine = engine;
    this.seat = seat;
    this.store = store;
    this.metrics = metrics;
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
    store.dropUnfinished(stream.key, memory.map(MemoryName::number).orElse(0L) + 1);
    StreamSession session =
        memory.isPresent() ? remembered(stream, memory.get()) : beginning(stream);
    stream.model = engine.modelDigest();
    stream.session = session;
    return session;
  }

  /** Whether another model made its memory: opening it takes as long as all its words and log. */
  boolean mustRebuild(StreamState stream) {
    return !stream.model.equals(engine.modelDigest());
  }

  /**
   * Of a new session of the stream, on the grid that the stream has. Without its changes of
   * sampling: each round brings its own, so that a round of the log is run again as it was made.
   */
  StreamSettings settings(StreamState stream) {
    StreamSettings settings =
        engine
            .settings()
            .withGrid(stream.assembler.chunkMicros(), stream.assembler.framesPerChunk());
    String instruction = stream.orders.instruction();
    return instruction == null ? settings : settings.withInstruction(instruction);
  }

  private StreamSession beginning(StreamState stream) throws Exception {
    StreamSession session = seat.create(stream.key.streamId(), settings(stream));
    // Stored at once: whether the first memory was written in time is a matter of luck.
    SessionSnapshot beginning =
        SessionSnapshot.beginning(
            stream.key.streamId(),
            session.settings(),
            engine.modelDigest(),
            engine.numericsIdentity());
    store(stream, beginning, new MemoryName(1, beginning.pieces().size(), 0, 0, 0, 0));
    return session;
  }

  private StreamSession remembered(StreamState stream, MemoryName memory) throws Exception {
    stream.nextReplayed = memory.nextLogged();
    stream.saidBefore = memory.saidBefore();
    stream.memoryBytes = memory.sizeBytes();
    List<byte[]> pieces = store.pieces(stream.key, memory);
    if (mustRebuild(stream)) {
      String why =
          "its memory was made by model %.16s, and this is model %.16s"
              .formatted(stream.model, engine.modelDigest());
      return rebuilt(stream, memory, pieces, Cause.MODEL, why);
    }
    try {
      StreamSession session = seat.restore(SessionSnapshot.ofPieces(pieces));
      tellOfKeptSettings(stream, session.settings());
      return session;
    } catch (CorruptSnapshotException e) {
      return rebuilt(stream, memory, pieces, Cause.DAMAGED, String.valueOf(e.getMessage()));
    }
  }

  /** A stream keeps what it has; what commands have changed is meant to differ. */
  private void tellOfKeptSettings(StreamState stream, StreamSettings own) {
    StreamSettings job = engine.settings();
    Map<String, String> changes = stream.orders.sampling();
    if (stream.orders.instruction() != null) {
      job = job.withInstruction(own.instruction());
    }
    if (!stream.orders.fps().isEmpty()) {
      job = job.withGrid(job.chunkMicros(), own.framesPerChunk());
    }
    KeptSettings.differing(SamplingChanges.apply(own, changes), SamplingChanges.apply(job, changes))
        .ifPresent(
            differing ->
                LOG.warn(
                    "stream {} keeps the settings that it began with, though the job's are others"
                        + " now: {}; they hold for streams that begin from now on; to change this"
                        + " one, send it a command (frame rate, sampling, instruction), end it"
                        + " (end-of-stream record) or start the job without its state",
                    stream.key.streamId(),
                    differing));
  }

  private StreamSession rebuilt(
      StreamState stream, MemoryName memory, List<byte[]> pieces, Cause cause, String why)
      throws Exception {
    RebuiltMemory rebuilt =
        seat.rebuild(stream.key.streamId(), pieces, settings(stream), memory.rounds());
    SessionSnapshot words = rebuilt.snapshot();
    stream.saidBefore = stream.nextLogged;
    stream.memoryBytes = 0;
    store(
        stream,
        words,
        new MemoryName(
            memory.number() + 1,
            words.pieces().size(),
            memory.nextLogged(),
            0,
            words.rounds(),
            stream.saidBefore));
    stream.marks.add(Mark.REBUILT);
    metrics.rebuilt(cause);
    tell(
        "stream %s: %s; it is rebuilt from %s and the %d chunks of its log; its next event is marked REBUILT, and other streams are as they were"
            .formatted(
                stream.key.streamId(),
                why,
                switch (rebuilt.source()) {
                  case IDS -> "the token ids of what it remembers";
                  case TEXT -> "the text of what it remembers";
                  case NOTHING -> "nothing, for what it remembers is lost,";
                },
                stream.nextLogged - stream.nextReplayed));
    return seat.restore(words);
  }

  /** A change of the model or the machine concerns all streams; each event is marked anyway. */
  private void tell(String message) {
    if (told < TOLD) {
      LOG.warn(++told < TOLD ? message : message + "; further streams are told of at level DEBUG");
    } else {
      LOG.debug(message);
    }
  }

  private void store(StreamState stream, SessionSnapshot snapshot, MemoryName name)
      throws Exception {
    for (int i = 0; i < name.pieces(); i++) {
      store.putPiece(stream.key, name.number(), i, snapshot.pieces().get(i));
    }
    store.complete(stream.key, name);
  }

  /** One round of the log has been run again: compares what was said with what it came to then. */
  void replayed(StreamState stream, LoggedRound logged, RoundResult result) {
    stream.logBytes += logged.sizeBytes();
    boolean asSaid = stream.replaysAsSaid();
    if (!asSaid && !logged.joined() && !logged.cameTo(result.outcome()) && stream.marks.isEmpty()) {
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

  /**
   * What may be too much for one prefill is run again round by round. Of a memory that was not
   * rebuilt it was one prefill before, and now becomes other numbers.
   */
  void refused(StreamState stream, int rounds, RoundResult.Failed why) {
    stream.replaysOneByOne = true;
    if (!stream.replaysAsSaid()) {
      stream.marks.add(Mark.REBUILT);
    }
    tell(
        "stream %s: %d chunks of its log could not be taken up at once (%s); expected room for one prefill of them; they are run again one by one, which takes longer"
            .formatted(stream.key.streamId(), rounds, why.reason()));
  }

  private void checkNumerics(StreamState stream) {
    if (!stream.numerics.equals(engine.numericsIdentity())) {
      if (!mustRebuild(stream)) { // else that is told, and nothing was computed with these
        tell(
            "stream %s: its memory was made with numerics %.16s, and this process computes with %.16s; it goes on from its memory, its next event is marked NUMERICS_CHANGED and texts may differ"
                .formatted(stream.key.streamId(), stream.numerics, engine.numericsIdentity()));
      }
      stream.marks.add(Mark.NUMERICS_CHANGED);
      stream.numerics = engine.numericsIdentity();
    }
  }
}
