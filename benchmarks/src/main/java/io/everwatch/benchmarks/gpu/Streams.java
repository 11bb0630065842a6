// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineListener;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.model.EncodedFrame;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Streams at an engine. Each has one round under way at most, which begins when it is due and the
 * one before it was answered. One thread.
 */
final class Streams implements AutoCloseable {
  /** A round takes seconds at the most, and minutes under emulation. */
  private static final long PATIENCE_SECONDS = 300;

  private final Seat seat;
  private final BlockingQueue<Heard> heard = new LinkedBlockingQueue<>();
  private final List<Stream> streams = new ArrayList<>();
  private final IdentityHashMap<StreamSession, Stream> bySession = new IdentityHashMap<>();
  private final List<EncodedFrame> frames;
  private final int perChunk;

  /**
   * An answer, or the engine's end.
   *
   * @param end of the engine; the result is null then
   */
  private record Heard(@Nullable RoundResult result, long nanos, @Nullable Throwable end) {}

  /**
   * A round that was answered.
   *
   * @param lagNanos from when it was due to its answer
   */
  record Answer(long lagNanos, RoundResult result) {}

  private static final class Stream {
    final StreamSession session;
    long rounds;
    long due;
    boolean running;

    Stream(StreamSession session) {
      this.session = session;
    }
  }

  /**
   * @param frames which all streams play, each from another place on, again and again
   */
  Streams(Engine engine, int count, List<EncodedFrame> frames) {
    this.frames = frames;
    this.perChunk = engine.settings().framesPerChunk();
    this.seat =
        engine.attach(
            new EngineListener() {
              @Override
              public void finished(List<RoundResult> results) {
                long now = System.nanoTime();
                results.forEach(result -> heard.add(new Heard(result, now, null)));
              }

              @Override
              public void ended(Throwable cause) {
                heard.add(new Heard(null, 0, cause));
              }
            });
    for (int i = 0; i < count; i++) {
      Stream stream = new Stream(seat.create("stream-" + i, engine.settings()));
      streams.add(stream);
      bySession.put(stream.session, stream);
    }
  }

  /** So many rounds of each stream, none of which waits for its time. */
  List<Answer> atOnce(int rounds) throws InterruptedException {
    return run(rounds, 0, stream -> 0);
  }

  /** So many rounds of each stream, one every {@code periodNanos}, the streams in turn. */
  List<Answer> paced(int rounds, long periodNanos) throws InterruptedException {
    return run(rounds, periodNanos, stream -> periodNanos * stream / streams.size());
  }

  private List<Answer> run(int rounds, long periodNanos, IntToLongFunction phase)
      throws InterruptedException {
    List<Answer> answers = new ArrayList<>();
    long begin = System.nanoTime();
    List<Long> last = new ArrayList<>();
    for (int i = 0; i < streams.size(); i++) {
      Stream stream = streams.get(i);
      stream.due = begin + phase.applyAsLong(i);
      last.add(stream.rounds + rounds);
    }
    int open = streams.size() * rounds;
    while (open > 0) {
      long next = submitDue(last);
      Heard answer = heard.poll(next, TimeUnit.NANOSECONDS);
      if (answer == null) {
        if (next == TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
          throw new IllegalStateException(
              "no answer for %d s with %d rounds open".formatted(PATIENCE_SECONDS, open));
        }
        continue;
      }
      if (answer.result == null) {
        throw new IllegalStateException("the engine ended", answer.end);
      }
      answers.add(answered(answer.result, answer.nanos, periodNanos));
      open--;
    }
    return answers;
  }

  /** Nanoseconds until the next one is due; all patience when only answers are waited for. */
  private long submitDue(List<Long> last) {
    long now = System.nanoTime();
    long next = TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    for (int i = 0; i < streams.size(); i++) {
      Stream stream = streams.get(i);
      if (!stream.running && stream.rounds < last.get(i)) {
        if (stream.due <= now) {
          submit(stream, i);
        } else {
          next = Math.min(next, stream.due - now);
        }
      }
    }
    return next;
  }

  private void submit(Stream stream, int number) {
    int chunks = frames.size() / perChunk;
    int first = (int) ((stream.rounds + number) % chunks) * perChunk;
    stream.running = true;
    seat.submit(
        stream.session,
        new RoundInput(stream.rounds, frames.subList(first, first + perChunk), false));
  }

  private Answer answered(RoundResult result, long now, long periodNanos) {
    result
        .outcome()
        .match(
            spoke -> true,
            silent -> true,
            failed -> {
              throw new IllegalStateException("a round failed: " + failed.reason());
            });
    Stream stream = bySession.get(result.session());
    if (stream == null) {
      throw new IllegalStateException("an answer of a session that is not ours");
    }
    Answer answer = new Answer(now - stream.due, result);
    stream.rounds++;
    stream.running = false;
    stream.due = periodNanos == 0 ? now : stream.due + periodNanos;
    return answer;
  }

  @Override
  public void close() {
    seat.close();
  }
}
