// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.kernels.DeviceCounters;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineListener;
import io.everwatch.operators.engine.EngineMetrics;
import io.everwatch.operators.engine.NumericsIdentity;
import io.everwatch.operators.engine.RebuiltMemory;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.RoundResult.Outcome;
import io.everwatch.operators.engine.RoundResult.Silent;
import io.everwatch.operators.engine.RoundResult.Spoke;
import io.everwatch.operators.engine.RoundResult.StopReason;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.SessionSnapshot;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;

/** An engine that answers by a rule, on a thread of its own as a real one does. */
public final class FakeEngine implements Engine {
  public static final StreamSettings SETTINGS =
      new StreamSettings(
          2,
          1_000_000,
          1,
          1 << 20,
          16,
          16,
          true,
          16,
          384,
          20,
          0,
          1,
          0,
          1,
          7,
          " Watch.",
          QueryPlacement.CONTEXT,
          9000,
          2_000_000,
          16_000_000,
          10_000_000,
          PrefillSettings.DEFAULT);

  /** Says nothing, ever. */
  public static final BiFunction<StreamSession, RoundInput, Outcome> MUTE =
      (session, input) -> new Silent(2, StopReason.END_OF_TURN);

  private final StreamSettings settings;
  private final BiFunction<StreamSession, RoundInput, Outcome> rule;
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final AtomicLong rounds = new AtomicLong();
  final List<StreamSession> released = new ArrayList<>();

  public FakeEngine(StreamSettings settings, BiFunction<StreamSession, RoundInput, Outcome> rule) {
    this.settings = settings;
    this.rule = rule;
  }

  public FakeEngine(BiFunction<StreamSession, RoundInput, Outcome> rule) {
    this(SETTINGS, rule);
  }

  public static Outcome says(String text) {
    return text.isEmpty()
        ? new Silent(2, StopReason.END_OF_TURN)
        : new Spoke(text, 9, StopReason.END_OF_TURN);
  }

  private static final class Session implements StreamSession {
    private final String streamId;
    private final StreamSettings settings;
    private long rounds;

    Session(String streamId, StreamSettings settings) {
      this.streamId = streamId;
      this.settings = settings;
    }

    @Override
    public String streamId() {
      return streamId;
    }

    @Override
    public StreamSettings settings() {
      return settings;
    }

    @Override
    public long rounds() {
      return rounds;
    }

    @Override
    public StreamMemory memory() {
      throw new UnsupportedOperationException("a fake remembers nothing");
    }
  }

  private final class FakeSeat implements Seat {
    private final EngineListener listener;

    FakeSeat(EngineListener listener) {
      this.listener = listener;
    }

    @Override
    public StreamSession create(String streamId, StreamSettings settings) {
      return new Session(streamId, settings);
    }

    @Override
    public StreamSession restore(SessionSnapshot snapshot) {
      throw new UnsupportedOperationException("a fake remembers nothing");
    }

    @Override
    public RebuiltMemory rebuild(
        String streamId, List<byte[]> pieces, StreamSettings settings, long rounds) {
      throw new UnsupportedOperationException("a fake remembers nothing");
    }

    @Override
    public void resample(StreamSession session, StreamSettings settings) {
      throw new UnsupportedOperationException("a fake samples nothing");
    }

    @Override
    public boolean hasPlace(int underWay) {
      return true;
    }

    @Override
    public void submit(StreamSession session, RoundInput input) {
      thread.execute(
          () -> {
            Outcome outcome = rule.apply(session, input);
            long round = ((Session) session).rounds++;
            rounds.incrementAndGet();
            listener.finished(
                List.of(
                    new RoundResult(
                        session,
                        input,
                        round,
                        outcome,
                        List.of(),
                        30,
                        300,
                        40,
                        new RoundResult.Timings(0, 0, 0, 0, EngineMetrics.Stages.NONE))));
          });
    }

    @Override
    public CompletableFuture<SessionSnapshot> snapshot(StreamSession session) {
      return snapshot(session, session.rounds());
    }

    @Override
    public CompletableFuture<SessionSnapshot> snapshot(StreamSession session, long rounds) {
      throw new UnsupportedOperationException("a fake remembers nothing");
    }

    @Override
    public void release(StreamSession session) {
      released.add(session);
    }

    @Override
    public void close() {}
  }

  @Override
  public StreamSettings settings() {
    return settings;
  }

  @Override
  public String modelDigest() {
    return "0123456789abcdef".repeat(4);
  }

  @Override
  public NumericsIdentity numerics() {
    return new NumericsIdentity("fedcba9876543210".repeat(4), Map.of());
  }

  @Override
  public String decode(int[] ids) {
    throw new UnsupportedOperationException("a fake has no tokens");
  }

  @Override
  public EngineMetrics metrics() {
    long done = rounds.get();
    return new EngineMetrics(
        done,
        0,
        0,
        done,
        30 * done,
        0,
        16 * done,
        2 * done,
        new EngineMetrics.Stages(
            done * 1_000_000, done * 2_000_000, 0, 0, done * 3_000_000, done * 1_000_000),
        1,
        0,
        100,
        1000,
        DeviceCounters.NONE,
        SparseCounters.NONE);
  }

  @Override
  public Seat attach(EngineListener listener) {
    return new FakeSeat(listener);
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
