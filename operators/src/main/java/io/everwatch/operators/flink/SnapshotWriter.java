// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.LogContext;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.SessionSnapshot;
import io.everwatch.operators.engine.StreamSession;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the memories of streams into state, one stream at a time, a few pieces per mail, so that
 * rounds and barriers pass in between: putting a gigabyte takes about a second. What was written of
 * a memory counts only when the mail that puts its last piece also puts its name.
 */
final class SnapshotWriter {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotWriter.class);
  private static final int PIECES_PER_MAIL = 4;

  /** So often in a row a copy may fail: the log grows meanwhile. */
  static final int FAILURES = 10;

  private final Seat seat;
  private final StreamStore store;
  private final MailboxExecutor mailbox;
  private final long intervalMillis;
  private final Predicate<StreamState> alive;
  private final OperatorMetrics metrics;
  private final Set<StreamState> due = new LinkedHashSet<>();
  private @Nullable StreamState writing;
  private long written;

  /**
   * A writer that has nothing to do yet.
   *
   * @param intervalMillis 0: only on {@link #checkpoint}
   * @param alive whether a stream still has state; false for all when the operator is closed
   */
  SnapshotWriter(
      Seat seat,
      StreamStore store,
      MailboxExecutor mailbox,
      long intervalMillis,
      Predicate<StreamState> alive,
      OperatorMetrics metrics) {
    this.seat = seat;
    this.store = store;
    this.mailbox = mailbox;
    this.intervalMillis = intervalMillis;
    this.alive = alive;
    this.metrics = metrics;
  }

  /** Memories written since open. */
  long written() {
    return written;
  }

  /** Streams that come up together are not due together. */
  void opened(StreamState stream, long nowMillis) {
    int hash = stream.key.streamId().hashCode();
    double share = (Integer.toUnsignedLong(hash * 0x9E3779B9) + 1) / (double) (1L << 32);
    stream.memoryDueMillis = nowMillis + (long) (share * intervalMillis);
  }

  /** A stream's answer was applied and no round of it is running. */
  void answered(StreamState stream, long nowMillis) {
    boolean logIsLarge =
        stream != writing
            && stream.memoryFailures == 0
            && stream.memoryBytes > 0
            && stream.logBytes >= stream.memoryBytes;
    if (logIsLarge || (intervalMillis > 0 && nowMillis >= stream.memoryDueMillis)) {
      due.add(stream);
      stream.memoryDueMillis = nowMillis + intervalMillis;
    }
    next();
  }

  /** Writes the memory of a stream as soon as it can. */
  void write(StreamState stream) {
    due.add(stream);
    next();
  }

  /** A checkpoint passes: with interval 0 every memory that has changed is due. */
  void checkpoint(Iterable<StreamState> streams) {
    if (intervalMillis == 0) {
      for (StreamState stream : streams) {
        if (stream.logBytes > 0) {
          due.add(stream);
        }
      }
      next();
    }
  }

  /** The next due stream whose memory stands still; the others come after their running round. */
  private void next() {
    if (writing != null) {
      return;
    }
    due.removeIf(stream -> !alive.test(stream));
    for (StreamState stream : due) {
      StreamSession session = stream.session;
      if (!stream.running && !stream.replaying() && session != null) {
        due.remove(stream);
        start(stream, session);
        return;
      }
    }
  }

  private void start(StreamState stream, StreamSession session) {
    writing = stream;
    long nextLogged = stream.nextLogged;
    long logBytes = stream.logBytes;
    var unused = // what it ends with arrives as mail
        seat.snapshot(session)
            .whenComplete(
                (snapshot, failure) ->
                    mail(
                        () -> {
                          if (failure == null) {
                            begin(stream, session, snapshot, nextLogged, logBytes);
                          } else {
                            failed(stream, session, failure);
                          }
                        }));
  }

  private void begin(
      StreamState stream,
      StreamSession session,
      SessionSnapshot snapshot,
      long nextLogged,
      long logBytes)
      throws Exception {
    if (gone(stream, session)) {
      finished();
      return;
    }
    long number = store.memory(stream.key).map(MemoryName::number).orElse(0L) + 1;
    MemoryName name =
        new MemoryName(
            number,
            snapshot.pieces().size(),
            nextLogged,
            snapshot.sizeBytes(),
            snapshot.rounds(),
            0);
    put(stream, session, snapshot.pieces(), 0, name, logBytes);
  }

  /** It ended in between, or a command made it begin again: what was copied is nobody's. */
  private boolean gone(StreamState stream, StreamSession session) {
    return !alive.test(stream) || stream.session != session;
  }

  private void put(
      StreamState stream,
      StreamSession session,
      List<byte[]> pieces,
      int from,
      MemoryName name,
      long logBytes)
      throws Exception {
    if (gone(stream, session)) {
      finished();
      return;
    }
    int to = Math.min(pieces.size(), from + PIECES_PER_MAIL);
    for (int i = from; i < to; i++) {
      store.putPiece(stream.key, name.number(), i, pieces.get(i));
    }
    if (to < pieces.size()) {
      mail(() -> put(stream, session, pieces, to, name, logBytes));
      return;
    }
    store.complete(stream.key, name);
    stream.memoryBytes = name.sizeBytes();
    stream.memoryFailures = 0;
    stream.logBytes -= logBytes;
    written++;
    metrics.snapshot(name.sizeBytes());
    finished();
  }

  private void failed(StreamState stream, StreamSession session, Throwable failure) {
    if (gone(stream, session)) {
      finished();
      return;
    }
    stream.memoryFailures++;
    metrics.snapshotFailed();
    if (stream.memoryFailures >= FAILURES) {
      throw new IllegalStateException(
          "the memory of stream %s could not be copied %d times in a row, and its log has grown to %d bytes; expected a copy at least once per snapshot.interval; the job restarts from its last checkpoint and runs that log again; if it comes back, look at the cause and for memory of the process"
              .formatted(stream.key.streamId(), FAILURES, stream.logBytes),
          failure);
    }
    try (var context = LogContext.of(stream.key.streamId())) {
      LOG.warn(
          "stream {}: its memory was not copied ({}); the one stored before stays, with a log of {}"
              + " bytes, which a restore runs again; it is tried again when the snapshot interval"
              + " has passed",
          stream.key.streamId(),
          failure.toString(),
          stream.logBytes);
    }
    finished();
  }

  private void finished() {
    writing = null;
    next();
  }

  private interface Step {
    void run() throws Exception;
  }

  private void mail(Step step) {
    try {
      mailbox.execute(step::run, "write the memory of a stream");
    } catch (RejectedExecutionException closing) {
      // The task is going away; what was written of this memory does not count.
    }
  }
}
