// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.RowPool;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Decides which rounds take part in the next step, in the order in which they became ready. A round
 * is let in when the rows that it can need at most are free; the rows of idle streams are copied to
 * host memory to make room, those idle longest first. Belongs to the step thread.
 */
final class Admission {
  private final RowPool pool;
  private final RowSlots slots;
  private final int batchRounds;
  private final int batchRows;
  private final Duration timeout;
  private final BiConsumer<Job, String> refuse;
  private final Set<Session> sessions = new HashSet<>();
  private final Deque<Job> ready = new ArrayDeque<>();

  /**
   * @param refuse hears of a round that will never be let in, and why
   */
  Admission(RowPool pool, RowSlots slots, EngineOptions options, BiConsumer<Job, String> refuse) {
    this.pool = pool;
    this.slots = slots;
    this.batchRounds = options.batchRounds();
    this.batchRows = options.batchRows();
    this.timeout = options.admissionTimeout();
    this.refuse = refuse;
  }

  void add(Session session) {
    sessions.add(session);
  }

  boolean contains(Session session) {
    return sessions.contains(session);
  }

  int sessions() {
    return sessions.size();
  }

  List<Session> sessionsOf(Object owner) {
    return sessions.stream().filter(session -> session.owner() == owner).toList();
  }

  /** Frees the rows of a session; the turn of its running round must be abandoned first. */
  void remove(Session session) {
    if (sessions.remove(session)) {
      session.free(slots);
      ready.removeIf(
          job -> {
            boolean own = job.session == session;
            if (own) {
              job.seat.dropped();
            }
            return own;
          });
    }
  }

  void ready(Job job) {
    ready.add(job);
  }

  boolean idle() {
    return ready.isEmpty();
  }

  int waiting() {
    return ready.size();
  }

  /**
   * Takes the rounds that begin with the next step, with their rows.
   *
   * @param active rounds that are speaking
   * @param step number of the step, for who was idle longest
   */
  List<Job> next(List<Job> active, long step) {
    List<Job> begun = new ArrayList<>();
    int rows = 0;
    while (!ready.isEmpty() && active.size() + begun.size() < batchRounds) {
      Job job = ready.getFirst();
      int prompt = job.plan().prompt().length;
      if (!begun.isEmpty() && rows + prompt > batchRows) {
        break;
      }
      int needed = rowsNeeded(job);
      int mine = job.session.rows().slots().length;
      if (needed + mine > slots.capacity()) {
        ready.removeFirst();
        refuse.accept(job, tooLong(job, needed + mine));
        continue;
      }
      if (!makeRoom(needed, job.session, active, begun)) {
        long now = System.nanoTime();
        if (now - job.refused(now) < timeout.toNanos()) {
          break;
        }
        ready.removeFirst();
        refuse.accept(job, waitedTooLong(needed));
        continue;
      }
      ready.removeFirst();
      begin(job, step);
      begun.add(job);
      rows += prompt;
    }
    return begun;
  }

  private void begin(Job job, long step) {
    Session session = job.session;
    session.used(step);
    session.load(pool, slots);
    RoundPlan plan = job.plan();
    job.start(
        session.committed().slotsOf(plan.kept(), session.rows().slots()),
        slots.take(plan.newRows()));
  }

  private static int rowsNeeded(Job job) {
    return job.plan().newRows() + (job.session.rows().away() ? job.session.rows().count() : 0);
  }

  private boolean makeRoom(int needed, Session own, List<Job> active, List<Job> begun) {
    while (slots.available() < needed) {
      Optional<Session> victim =
          sessions.stream()
              .filter(session -> session != own && session.rows().slots().length > 0)
              .filter(session -> !holds(active, session) && !holds(begun, session))
              .min(Comparator.comparingLong(Session::lastUsed));
      if (victim.isEmpty()) {
        return false;
      }
      victim.get().evict(pool, slots);
    }
    return true;
  }

  private static boolean holds(List<Job> jobs, Session session) {
    return jobs.stream().anyMatch(job -> job.session == session);
  }

  private String tooLong(Job job, int rows) {
    return "round %d of stream %s needs %d cached rows; the pool has %d in all; give the engine more memory for rows (kvBytes), or make pictures or windows smaller"
        .formatted(job.plan().round(), job.session.streamId(), rows, slots.capacity());
  }

  private String waitedTooLong(int rows) {
    return "%d cached rows were not free within %d ms: %d of %d are held by %d streams; expected room for a round; give the engine more memory for rows (kvBytes) or fewer streams"
        .formatted(rows, timeout.toMillis(), slots.used(), slots.capacity(), sessions.size());
  }
}
