// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.operators.model.StreamSettings;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The real engine on a network of hashes, for tests of other packages: a lost, doubled or misplaced
 * round changes all texts after it, and a round costs microseconds.
 */
public final class FakeEngines implements AutoCloseable {
  private static final int OPEN = 1 << 20;

  private final FakeNetwork network =
      new FakeNetwork(FakePrompts.VOCABULARY, FakePrompts.END, FakePrompts.PAUSE, 200_000);
  private final Semaphore steps = new Semaphore(OPEN);
  private final AtomicInteger refusals = new AtomicInteger();
  private final BatchingEngine engine;

  private FakeEngines(String model, String numerics, StreamSettings settings) {
    this(model, numerics, settings, TestEngine.options());
  }

  private FakeEngines(
      String model, String numerics, StreamSettings settings, EngineOptions options) {
    EngineParts parts = TestEngine.parts(network);
    network.beforePrefill =
        ids -> {
          steps.acquireUninterruptibly();
          if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw new DeviceException(Failure.REFUSED, "as the test wants it");
          }
        };
    engine =
        new BatchingEngine(
                new EngineParts(
                    parts.network(),
                    parts.clips(),
                    parts.planner(),
                    parts.policy(),
                    parts.words(),
                    parts.ending(),
                    parts.stops(),
                    settings,
                    model.repeat(64),
                    new NumericsIdentity(numerics.repeat(64), Map.of("device", numerics))),
                options,
                TestEngine.MUST_NOT_HALT)
            .start();
  }

  /** Steps run as work comes. */
  public static FakeEngines start() {
    return start("a", "b");
  }

  /** Of another model or other numerics; a letter stands for a digest. */
  public static FakeEngines start(String model, String numerics) {
    return new FakeEngines(model, numerics, TestEngine.settings());
  }

  /** As {@link #start()}, of a job whose standing text is another. */
  public static FakeEngines instructed(String instruction) {
    return new FakeEngines("a", "b", TestEngine.settings().withInstruction(instruction));
  }

  /** As {@link #start()}, of a job with other chunks. */
  public static FakeEngines onGrid(long chunkMicros, int framesPerChunk) {
    return new FakeEngines("a", "b", TestEngine.settings().withGrid(chunkMicros, framesPerChunk));
  }

  /** As {@link #start()}, of which so many rounds take a step together. */
  public static FakeEngines sharing(int rounds) {
    return new FakeEngines(
        "a",
        "b",
        TestEngine.settings(),
        TestEngine.options().toBuilder().batchRounds(rounds).build());
  }

  public Engine engine() {
    return engine;
  }

  /** From now on each step that begins a round waits for {@link #letGo}. */
  public void hold() {
    steps.drainPermits();
  }

  /** So many prefills from now on are refused by the device. */
  public void refuseNextPrefills(int count) {
    refusals.set(count);
  }

  /** Lets one held step go. */
  public void letGo() {
    steps.release();
  }

  /** Holds no step any longer. */
  public void letAllGo() {
    steps.release(OPEN);
  }

  /** Rows of all sessions: 0 when none is left. */
  public int rowsUsed() {
    return engine.metrics().rowsUsed();
  }

  @Override
  public void close() {
    letAllGo();
    engine.close();
  }
}
