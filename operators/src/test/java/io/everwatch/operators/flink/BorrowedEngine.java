// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineListener;
import io.everwatch.operators.engine.EngineMetrics;
import io.everwatch.operators.engine.NumericsIdentity;
import io.everwatch.operators.engine.RebuiltMemory;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.SessionSnapshot;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.model.StreamSettings;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The engine as one bench has it: closing it leaves it to the others, and what is asked of it shows
 * in the bench and may fail or wait as that says.
 */
record BorrowedEngine(Engine engine, Bench bench) implements Engine {
  @Override
  public StreamSettings settings() {
    return engine.settings();
  }

  @Override
  public String modelDigest() {
    return engine.modelDigest();
  }

  @Override
  public NumericsIdentity numerics() {
    return engine.numerics();
  }

  @Override
  public String decode(int[] ids) {
    return engine.decode(ids);
  }

  @Override
  public EngineMetrics metrics() {
    return engine.metrics();
  }

  @Override
  public Seat attach(EngineListener listener) {
    Seat seat =
        engine.attach(
            new EngineListener() {
              @Override
              public void finished(List<RoundResult> results) {
                bench.answered.accept(results.size());
                listener.finished(results);
              }

              @Override
              public void ended(Throwable cause) {
                listener.ended(cause);
              }
            });
    return new Seat() {
      @Override
      public StreamSession create(String streamId, StreamSettings settings) {
        return seat.create(streamId, settings);
      }

      @Override
      public StreamSession restore(SessionSnapshot snapshot) {
        return seat.restore(snapshot);
      }

      @Override
      public RebuiltMemory rebuild(
          String streamId, List<byte[]> pieces, StreamSettings settings, long rounds) {
        return seat.rebuild(streamId, pieces, settings, rounds);
      }

      @Override
      public void resample(StreamSession session, StreamSettings settings) {
        seat.resample(session, settings);
      }

      @Override
      public boolean hasPlace(int underWay) {
        return seat.hasPlace(underWay);
      }

      @Override
      public void submit(StreamSession session, RoundInput input) {
        bench.submitted.add(input);
        bench.submittedStreams.add(session.streamId());
        bench.sessions.put(session.streamId(), session);
        seat.submit(session, input);
      }

      @Override
      public CompletableFuture<SessionSnapshot> snapshot(StreamSession session) {
        bench.snapshotsAsked.incrementAndGet();
        return bench.snapshotsFail.get()
            ? CompletableFuture.failedFuture(new IllegalStateException("as the test wants it"))
            : seat.snapshot(session)
                .thenCombine(bench.snapshotsMayEnd, (snapshot, nothing) -> snapshot);
      }

      @Override
      public CompletableFuture<SessionSnapshot> snapshot(StreamSession session, long rounds) {
        return seat.snapshot(session, rounds);
      }

      @Override
      public void release(StreamSession session) {
        seat.release(session);
      }

      @Override
      public void close() {
        seat.close();
      }
    };
  }

  @Override
  public void close() {}
}
