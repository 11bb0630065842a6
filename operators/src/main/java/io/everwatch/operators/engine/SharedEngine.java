// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.StreamSettings;
import java.util.concurrent.atomic.AtomicBoolean;

/** An engine that several hold; guarded by its table. */
final class SharedEngine {
  private final Engine engine;
  private int holders;

  SharedEngine(Engine engine) {
    this.engine = engine;
  }

  /**
   * One more holder.
   *
   * @param giveBack called once, when the holder closes its engine
   */
  Engine lend(Runnable giveBack) {
    holders++;
    return new Lent(engine, giveBack);
  }

  /** One holder less; whether it was the last. */
  boolean returned() {
    return --holders == 0;
  }

  void close() {
    engine.close();
  }

  private static final class Lent implements Engine {
    private final Engine engine;
    private final Runnable giveBack;
    private final AtomicBoolean closed = new AtomicBoolean();

    Lent(Engine engine, Runnable giveBack) {
      this.engine = engine;
      this.giveBack = giveBack;
    }

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
      if (closed.get()) {
        throw new IllegalStateException("this holder gave the engine back; ask for it again");
      }
      return engine.attach(listener);
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        giveBack.run();
      }
    }
  }
}
