// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.engine.Session.Phase;
import io.everwatch.operators.model.StreamSettings;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/** One user's place; passes work on to the step loop and results back. */
final class EngineSeat implements Seat {
  private final BatchingEngine engine;
  private final EngineListener listener;
  private final int queueRounds;
  private final AtomicInteger outstanding = new AtomicInteger();
  private final AtomicInteger sessions = new AtomicInteger();
  private final Object delivery = new Object(); // held while the listener is called
  private volatile int underWay;
  private volatile boolean closed;

  EngineSeat(BatchingEngine engine, EngineListener listener, int queueRounds) {
    this.engine = engine;
    this.listener = listener;
    this.queueRounds = queueRounds;
  }

  @Override
  public StreamSession create(String streamId, StreamSettings settings) {
    requireOpen();
    return counted(engine.open(this, streamId, settings));
  }

  @Override
  public StreamSession restore(SessionSnapshot snapshot) {
    requireOpen();
    return counted(engine.open(this, snapshot));
  }

  private Session counted(Session session) {
    sessions.incrementAndGet();
    return session;
  }

  @Override
  public RebuiltMemory rebuild(
      String streamId, List<byte[]> pieces, StreamSettings settings, long rounds) {
    return engine.rebuild(streamId, pieces, settings, rounds);
  }

  @Override
  public void resample(StreamSession session, StreamSettings settings) {
    requireOpen();
    Session own = own(session);
    if (!own.settings().withSamplingOf(settings).equals(settings)) {
      throw new IllegalArgumentException(
          "%s works with %s, asked for are %s; expected them to differ in frame rate and sampling only; make a new session for others"
              .formatted(own, own.settings(), settings));
    }
    if (!own.changePhase(Phase.IDLE, Phase.RUNNING)) {
      throw new IllegalStateException(
          "%s is %s; expected it to be idle: change its sampling when the result of the last round has come"
              .formatted(own, own.phase()));
    }
    own.resample(settings);
    own.changePhase(Phase.RUNNING, Phase.IDLE);
  }

  @Override
  public boolean hasPlace(int rounds) {
    underWay = rounds;
    return engine.hasPlace(this);
  }

  @Override
  public void submit(StreamSession session, RoundInput input) {
    requireOpen();
    Session own = own(session);
    engine.requireAlive();
    if (!own.changePhase(Phase.IDLE, Phase.RUNNING)) {
      throw new IllegalStateException(
          "%s is %s; expected it to be idle: submit the next chunk when the result of the last has come"
              .formatted(own, own.phase()));
    }
    if (outstanding.incrementAndGet() > queueRounds) {
      outstanding.decrementAndGet();
      own.changePhase(Phase.RUNNING, Phase.IDLE);
      throw new IllegalStateException(
          "%d rounds of this seat are under way; expected at most %d (queueRounds); wait for results before submitting more"
              .formatted(queueRounds, queueRounds));
    }
    engine.submit(new Job(this, own, input));
  }

  @Override
  public CompletableFuture<SessionSnapshot> snapshot(StreamSession session) {
    return engine.snapshot(own(session), -1);
  }

  @Override
  public CompletableFuture<SessionSnapshot> snapshot(StreamSession session, long rounds) {
    return engine.snapshot(own(session), rounds);
  }

  @Override
  public void release(StreamSession session) {
    if (engine.release(own(session))) {
      sessions.decrementAndGet();
    }
  }

  @Override
  public void close() {
    synchronized (delivery) { // waits for a running listener call
      if (closed) {
        return;
      }
      closed = true;
    }
    engine.leave(this);
  }

  boolean isOpen() {
    return !closed;
  }

  /** Rounds whose results its user had not taken when it was last heard of. */
  int underWay() {
    return underWay;
  }

  /** Sessions that were not released. */
  int sessions() {
    return sessions.get();
  }

  /**
   * Step thread: one call for all results of a step.
   *
   * @param ended rounds that ended, wanted or not
   */
  void deliver(List<RoundResult> results, int ended) {
    outstanding.addAndGet(-ended);
    synchronized (delivery) {
      if (!closed && !results.isEmpty()) {
        listener.finished(results);
      }
    }
  }

  /** Step thread: a round whose result nobody wants. */
  void dropped() {
    outstanding.decrementAndGet();
  }

  /** Step thread or watchdog: the engine is gone. */
  void ended(Throwable cause) {
    synchronized (delivery) {
      if (!closed) {
        listener.ended(cause);
      }
    }
  }

  private Session own(StreamSession session) {
    if (!(session instanceof Session own) || own.owner() != this) {
      throw new IllegalArgumentException(
          "stream %s belongs to another seat; expected a session that this seat made"
              .formatted(session.streamId()));
    }
    return own;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the seat is closed; attach to the engine again");
    }
  }
}
