// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.operators.engine.Session.Phase;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes steps: lets rounds in, runs the batch, commits what is finished, reports it. Deterministic
 * and without a thread of its own; whoever drives it is the step thread.
 */
final class StepLoop {
  private static final Logger LOG = LoggerFactory.getLogger(StepLoop.class);

  private final Network network;
  private final StepBatcher batcher;
  private final TurnEnding ending;
  private final RowSlots slots;
  private final Admission admission;
  private final StageClock clock;
  private final List<Job> active = new ArrayList<>(); // computing prompts or speaking
  private final Map<EngineSeat, List<RoundResult>> results = new LinkedHashMap<>();
  private final Counts counts = new Counts();

  /** What was done so far. */
  private static final class Counts {
    private long rounds;
    private long failed;
    private long badFrames;
    private long steps;
    private long prompts;
    private long sparsePrompts;
    private long visionTokens;
    private long tokens;
  }

  StepLoop(
      Network network,
      StepBatcher batcher,
      TurnEnding ending,
      StageClock clock,
      EngineOptions options) {
    this.network = network;
    this.batcher = batcher;
    this.ending = ending;
    this.clock = clock;
    this.slots = new RowSlots(network.rows().slots());
    this.admission = new Admission(network.rows(), slots, options, this::refuse);
  }

  // --- between steps ---

  void add(Session session) {
    admission.add(session);
  }

  /** A round was submitted: the state before the last one is not wanted any more. */
  void submitted(Job job) {
    job.session.forgetPrevious(slots);
  }

  /** A worker has prepared the round. */
  void ready(Job job) {
    clock.frames += job.framesNanos();
    clock.load += job.planNanos();
    if (wanted(job)) {
      counts.badFrames += job.badFrameCount();
      admission.ready(job);
    }
  }

  /** A worker could not prepare the round. */
  void unusable(Job job, String reason) {
    clock.frames += job.framesNanos();
    if (wanted(job)) {
      counts.badFrames += job.badFrameCount();
      refuse(job, reason);
    }
  }

  private boolean wanted(Job job) {
    if (admission.contains(job.session)) {
      return true;
    }
    job.dropped();
    return false;
  }

  void release(Session session) {
    active.removeIf(
        job -> {
          boolean own = job.session == session;
          if (own) {
            job.turn().abandon(slots);
            job.dropped();
          }
          return own;
        });
    admission.remove(session);
  }

  void release(EngineSeat seat) {
    admission.sessionsOf(seat).forEach(this::release);
    results.remove(seat);
  }

  /**
   * The state of a session after {@code rounds} rounds, -1 = the last, with a copy of its rows. The
   * copy may still be under way: whoever asks for it waits, not the step thread.
   */
  Saved save(Session session, long rounds) {
    if (!admission.contains(session)) {
      throw new IllegalStateException("%s was released; nothing of it is left".formatted(session));
    }
    Session.State state = session.state(rounds < 0 ? session.rounds() : rounds);
    return new Saved(state.committed(), state.rows().copy(network.rows()));
  }

  /** A committed state with its rows in host memory. */
  record Saved(Committed committed, SessionRows rows) {}

  // --- steps ---

  /** Whether a step has anything to do. */
  boolean hasWork() {
    return !active.isEmpty() || !admission.idle();
  }

  /**
   * One step; {@link #report} tells what it finished.
   *
   * @throws DeviceException of class LOST or HUNG; the loop is then of no use any more
   */
  void step() {
    active.addAll(admission.next(active, counts.steps));
    guarded(Admission.prefilling(active), this::prefill);
    guarded(active.stream().filter(job -> job.turn().speaking()).toList(), this::decode);
    counts.steps += active.isEmpty() ? 0 : 1;
    for (Job job : active) {
      if (job.turn().finished()) {
        commit(job);
      }
    }
    active.removeIf(job -> !job.running());
  }

  private void prefill(List<Job> jobs) {
    List<PrefillPlan.Piece> pieces = jobs.stream().map(job -> job.turn().piece()).toList();
    batcher.prefill(turns(jobs));
    for (int i = 0; i < jobs.size(); i++) {
      PrefillPlan.Piece piece = pieces.get(i);
      counts.prompts += piece.rows();
      counts.sparsePrompts += piece.selector() == null ? 0 : piece.rows();
      counts.visionTokens +=
          jobs.get(i).plan().visionOf(piece).stream().mapToInt(VisionRows::count).sum();
    }
  }

  private void decode(List<Job> jobs) {
    batcher.decode(turns(jobs));
  }

  private static List<Turn> turns(List<Job> jobs) {
    return jobs.stream().map(Job::turn).toList();
  }

  /**
   * Runs part of a step. When it is refused, each round goes on alone, from its beginning: piece by
   * piece and token by token too, so that others wait no longer than for any long prompt. What is
   * refused alone has failed.
   */
  private void guarded(List<Job> jobs, Consumer<List<Job>> part) {
    List<Job> alone = jobs.stream().filter(job -> job.turn().alone()).toList();
    List<Job> together = jobs.stream().filter(job -> !job.turn().alone()).toList();
    try {
      if (!together.isEmpty()) {
        part.accept(together);
      }
    } catch (RuntimeException e) {
      requireIntact(e);
      LOG.warn(
          "a step of {} rounds was refused, each is tried alone: {}", together.size(), reason(e));
      together.forEach(job -> job.turn().restart());
    }
    for (Job job : alone) {
      try {
        part.accept(List.of(job));
      } catch (RuntimeException e) {
        requireIntact(e);
        failed(job, e);
      }
    }
  }

  private void failed(Job job, RuntimeException e) {
    try (var context = LogContext.of(job.session.streamId(), job.input.chunk())) {
      LOG.warn("round {} of {} failed", job.plan().round(), job.session, e);
    }
    job.turn().abandon(slots);
    job.stop();
    active.remove(job);
    refuse(job, reason(e));
  }

  private static void requireIntact(RuntimeException e) {
    if (e instanceof DeviceException device && device.failure() != Failure.REFUSED) {
      throw device;
    }
  }

  private static String reason(RuntimeException e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }

  private void commit(Job job) {
    int[] output = job.turn().commit(ending, slots);
    counts.rounds++;
    counts.tokens += output.length;
    RoundResult result = job.result(ending.outcome(output), System.currentTimeMillis());
    job.stop();
    finished(job, result);
  }

  private void refuse(Job job, String reason) {
    counts.failed++;
    finished(job, job.failed(reason, System.currentTimeMillis()));
  }

  private void finished(Job job, RoundResult result) {
    job.ended();
    results.computeIfAbsent(job.seat, seat -> new ArrayList<>()).add(result);
  }

  /** One call for each seat. A session takes its next round from now on. */
  void report() {
    if (results.isEmpty()) {
      return;
    }
    Map<EngineSeat, List<RoundResult>> now = new LinkedHashMap<>(results);
    results.clear();
    now.forEach(
        (seat, list) -> {
          List<RoundResult> wanted = new ArrayList<>(list);
          wanted.removeIf( // released in the meantime
              result -> !((Session) result.session()).changePhase(Phase.RUNNING, Phase.IDLE));
          seat.deliver(wanted, list.size());
        });
  }

  EngineMetrics metrics(int preparing) {
    return new EngineMetrics(
        counts.rounds,
        counts.failed,
        counts.badFrames,
        counts.steps,
        counts.prompts,
        counts.sparsePrompts,
        counts.visionTokens,
        counts.tokens,
        clock.stages(),
        admission.sessions(),
        preparing + admission.waiting(),
        slots.used(),
        slots.capacity(),
        network.counters(),
        network.sparseCounters());
  }
}
