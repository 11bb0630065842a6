// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.engine.RoundResult.BadFrame;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.engine.RoundResult.Outcome;
import io.everwatch.operators.engine.RoundResult.Timings;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A submitted round, from the seat to its result. */
final class Job {
  final EngineSeat seat;
  final Session session;
  final RoundInput input;

  // set by a worker before the step thread sees the job again
  private @Nullable RoundPlan plan;
  private List<BadFrame> badFrames = List.of();
  private int @Nullable [] script;
  private long framesNanos;
  private long planNanos;
  private @Nullable Runnable onEnd;

  // step thread
  private @Nullable Turn turn;

  Job(EngineSeat seat, Session session, RoundInput input) {
    this.seat = seat;
    this.session = session;
    this.input = input;
  }

  /** To be done once when nothing of this round is needed any more. */
  void onEnd(Runnable action) {
    onEnd = action;
  }

  /** It has ended, with a result or without one. */
  void ended() {
    Runnable action = onEnd;
    onEnd = null;
    if (action != null) {
      action.run();
    }
  }

  /** Nobody wants its result. */
  void dropped() {
    seat.dropped();
    ended();
  }

  void bad(List<BadFrame> frames, long nanos) {
    badFrames = frames;
    framesNanos = nanos;
  }

  void planned(RoundPlan made, long nanos) {
    plan = made;
    planNanos = nanos;
  }

  /** The answer was given before. */
  void prescribed(int[] ids) {
    script = ids;
  }

  RoundPlan plan() {
    return require(plan, "plan");
  }

  Turn turn() {
    return require(turn, "turn");
  }

  boolean running() {
    return turn != null;
  }

  /** Takes its place in the next step. */
  void start(int[] kept, int[] fresh) {
    Turn made = new Turn(session, plan(), kept, fresh);
    made.clock().frames = framesNanos;
    made.clock().load = planNanos;
    if (script != null) {
      made.prescribe(script);
    }
    turn = made;
  }

  void stop() {
    turn = null;
  }

  int badFrameCount() {
    return badFrames.size();
  }

  long framesNanos() {
    return framesNanos;
  }

  long planNanos() {
    return planNanos;
  }

  RoundResult result(Outcome outcome, long nowMillis) {
    RoundPlan made = plan();
    return new RoundResult(
        session,
        input,
        made.round(),
        outcome,
        badFrames,
        made.prompt().length,
        made.contextRows(),
        made.enteredRows() + session.committed().answerRows(),
        turn().timings(nowMillis));
  }

  RoundResult failed(String reason, long nowMillis) {
    StageClock clock = new StageClock();
    clock.frames = framesNanos;
    clock.load = planNanos;
    return new RoundResult(
        session,
        input,
        -1,
        new Failed(reason),
        badFrames,
        0,
        0,
        0,
        new Timings(nowMillis, nowMillis, nowMillis, nowMillis, clock.stages()));
  }

  private static <T> T require(@Nullable T value, String name) {
    if (value == null) {
      throw new IllegalStateException("the round has no " + name + " yet");
    }
    return value;
  }
}
