// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.RowPool;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides which rounds take part in the next step, in the order in which they became ready. A round
 * is let in when the rows that it can need at most are free; the rows of idle streams are copied to
 * host memory to make room, those idle longest first. Belongs to the step thread.
 *
 * <p>A round waits for rows as long as it takes, never against a clock: how long others speak must
 * not decide whether a stream has a text. The wait ends: nobody passes a round that waits for rows,
 * speaking rounds end, and then all rows but the stream's own can be copied away.
 */
final class Admission {
  private static final Logger LOG = LoggerFactory.getLogger(Admission.class);

  private final RowPool pool;
  private final RowSlots slots;
  private final int batchRounds;
  private final int batchRows;
  private final BiConsumer<Job, String> refuse;
  private final Set<Session> sessions = new HashSet<>();
  private final Deque<Job> ready = new ArrayDeque<>();
  private boolean shortage;

  /**
   * @param refuse hears of a round that will never be let in, and why
   */
  Admission(RowPool pool, RowSlots slots, EngineOptions options, BiConsumer<Job, String> refuse) {
    this.pool = pool;
    this.slots = slots;
    this.batchRounds = options.roundsPerStep();
    this.batchRows = options.batchRows();
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
              job.dropped();
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
   * Those whose prompts go on in the next step: all that are computed at once, and of the longer
   * ones the first. So no token of another stream waits for more than one piece, and one long
   * prompt is done before the next begins.
   *
   * @param active rounds under way, in their order
   */
  static List<Job> prefilling(List<Job> active) {
    List<Job> next = new ArrayList<>();
    boolean longer = false;
    for (Job job : active) {
      Turn turn = job.turn();
      if (!turn.prefilled() && !(turn.inPieces() && longer)) {
        longer |= turn.inPieces();
        next.add(job);
      }
    }
    return next;
  }

  /**
   * Takes the rounds that begin with the next step, with their rows. A long prompt waits here until
   * the one under way is done, and shorter ones pass it: were it let in, it would have a place and
   * rows for nothing, and a few of them would keep all others out.
   *
   * @param active rounds under way
   * @param step number of the step, for who was idle longest
   */
  List<Job> next(List<Job> active, long step) {
    List<Job> begun = new ArrayList<>();
    List<Job> going = prefilling(active);
    int rows = going.stream().mapToInt(job -> job.turn().piece().rows()).sum();
    boolean longer = going.stream().anyMatch(job -> job.turn().inPieces());
    Iterator<Job> waiting = ready.iterator();
    while (waiting.hasNext() && active.size() + begun.size() < batchRounds) {
      Job job = waiting.next();
      List<PrefillPlan.Piece> pieces = job.plan().prefill().pieces();
      if (longer && pieces.size() > 1) {
        continue;
      }
      int prompt = pieces.get(0).rows();
      if (!begun.isEmpty() && rows + prompt > batchRows) {
        break;
      }
      int needed = rowsNeeded(job);
      int mine = job.session.rows().slots().length;
      if (needed + mine > slots.capacity()) {
        waiting.remove();
        refuse.accept(job, tooLong(job, needed + mine));
        continue;
      }
      if (!makeRoom(needed, job.session, active, begun)) {
        if (!active.isEmpty() || !begun.isEmpty()) {
          reportShortage(needed);
          break;
        }
        waiting.remove(); // nobody would ever give rows back
        refuse.accept(job, noRoom(needed));
        continue;
      }
      waiting.remove();
      begin(job, step);
      begun.add(job);
      rows += prompt;
      longer |= pieces.size() > 1;
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
    return job.plan().newRows() + (job.session.rows().isAway() ? job.session.rows().count() : 0);
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
    return "round %d of stream %s needs %d cached rows; the pool has %d in all; give the engine more memory for rows (engine.kv-memory), or make pictures or windows smaller"
        .formatted(job.plan().round(), job.session.streamId(), rows, slots.capacity());
  }

  private String noRoom(int rows) {
    return "%d cached rows are not free though no round is under way: %d of %d are held by %d streams; expected all rows of idle streams to be movable; please report this"
        .formatted(rows, slots.used(), slots.capacity(), sessions.size());
  }

  /** Once: afterwards the gauge of waiting rounds tells. */
  private void reportShortage(int rows) {
    if (!shortage) {
      shortage = true;
      LOG.warn(
          "a round waits for {} cached rows: {} of {} are held by {} streams; expected room for all"
              + " rounds of a step; it begins when others have ended, and texts stay the same, but"
              + " late; give the engine more memory for rows (engine.kv-memory) or fewer streams;"
              + " said once",
          rows,
          slots.used(),
          slots.capacity(),
          sessions.size());
    }
  }
}
