// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.StreamSession;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Takes streams through an engine to their end: each stream has one round under way, and the next
 * is handed in as soon as the answer is there, so that the engine always has company for a step.
 */
public final class RoundDriver {
  /** A round takes milliseconds to seconds; an engine that is silent for so long is broken. */
  public static final Duration PATIENCE = Duration.ofMinutes(10);

  private RoundDriver() {}

  /**
   * Returns when all streams have ended.
   *
   * @throws IOException when a stream's source fails
   * @throws IllegalStateException when the engine gives no answer within {@code patience}
   */
  public static void drive(Engine engine, List<? extends Rounds> streams, Duration patience)
      throws IOException, InterruptedException {
    BlockingQueue<RoundResult> answers = new LinkedBlockingQueue<>();
    Map<StreamSession, Rounds> open = new HashMap<>();
    try (Seat seat = engine.attach(answers::addAll)) {
      for (Rounds stream : streams) {
        advance(seat, seat.create(stream.streamId(), stream.settings()), stream, open);
      }
      while (!open.isEmpty()) {
        RoundResult answer = answers.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
        if (answer == null) {
          throw new IllegalStateException(
              "the engine gave no answer for %d s with %d streams waiting; is the machine out of memory or stopped?"
                  .formatted(patience.toSeconds(), open.size()));
        }
        Rounds stream = open.get(answer.session());
        if (stream == null) {
          throw new IllegalStateException(
              "an answer for %s, which has ended".formatted(answer.session().streamId()));
        }
        stream.answered(answer);
        advance(seat, answer.session(), stream, open);
      }
    }
  }

  private static void advance(
      Seat seat, StreamSession session, Rounds stream, Map<StreamSession, Rounds> open)
      throws IOException {
    Optional<RoundInput> next = stream.next();
    if (next.isPresent() && stream.afresh()) {
      open.remove(session);
      seat.release(session);
      StreamSession empty = seat.create(stream.streamId(), stream.settings());
      open.put(empty, stream);
      seat.submit(empty, next.get());
    } else if (next.isPresent()) {
      open.put(session, stream);
      seat.submit(session, next.get());
    } else {
      open.remove(session);
      seat.release(session);
    }
  }
}
