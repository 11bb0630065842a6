// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.Session.State;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AdmissionTest {
  private final List<String> refused = new ArrayList<>();
  private final FakeNetwork network =
      new FakeNetwork(FakePrompts.VOCABULARY, FakePrompts.END, FakePrompts.PAUSE, 100);
  private final EngineParts parts = TestEngine.parts(network);
  private final BatchingEngine engine =
      new BatchingEngine(parts, TestEngine.options(), TestEngine.MUST_NOT_HALT).start();
  private final EngineSeat seat = (EngineSeat) engine.attach(results -> {});
  private final RowSlots slots = new RowSlots(network.rows().slots());

  @AfterEach
  void stop() {
    engine.close();
  }

  private Admission admission(EngineOptions options) {
    return new Admission(
        network.rows(),
        slots,
        options,
        (job, reason) -> refused.add(job.session.streamId() + ": " + reason));
  }

  /** A first round of 40 rows, ready to be let in. */
  private Job ready(Admission admission, String stream) {
    Session session =
        new Session(
            seat,
            stream,
            TestEngine.settings(),
            parts.policy().apply(TestEngine.settings()),
            new State(Committed.NONE, SessionRows.NONE));
    admission.add(session);
    Job job = new Job(seat, session, TestEngine.chunk(stream, 0));
    job.planned(
        parts
            .planner()
            .plan(
                session.committed(),
                session.settings(),
                session.policy(),
                job.input,
                parts.clips().make(job.input.frames(), session.settings()).vision().orElseThrow()),
        0);
    admission.ready(job);
    assertThat(job.plan().newRows()).isBetween(34, 49);
    return job;
  }

  private static List<String> names(List<Job> jobs) {
    return jobs.stream().map(job -> job.session.streamId()).toList();
  }

  @Test
  void letsRoundsInInTheirOrderWhileRowsLast() {
    Admission admission = admission(TestEngine.options());
    for (String stream : List.of("a", "b", "c", "d")) {
      ready(admission, stream);
    }
    List<Job> active = new ArrayList<>(admission.next(List.of(), 0));
    assertThat(names(active)).containsExactly("a", "b");
    assertThat(admission.next(active, 1)).isEmpty();
    assertThat(admission.waiting()).isEqualTo(2);
    assertThat(refused).isEmpty();

    Job done = active.remove(0);
    done.turn().abandon(slots);
    assertThat(names(admission.next(active, 2))).containsExactly("c");
  }

  @Test
  void letsARoundWaitForRowsAsLongAsOthersSpeak() {
    Admission admission = admission(TestEngine.options());
    List<Job> active = new ArrayList<>();
    ready(admission, "a");
    ready(admission, "b");
    active.addAll(admission.next(active, 0));
    ready(admission, "c");
    for (int step = 1; step < 10_000; step++) {
      assertThat(admission.next(active, step)).isEmpty();
    }
    assertThat(refused).isEmpty();

    active.remove(0).turn().abandon(slots);
    assertThat(names(admission.next(active, 10_000))).containsExactly("c");
  }

  @Test
  void refusesARoundForWhichNobodyWouldGiveRowsBack() {
    Admission admission = admission(TestEngine.options());
    slots.take(80);
    ready(admission, "a");
    assertThat(admission.next(List.of(), 0)).isEmpty();
    assertThat(refused)
        .singleElement()
        .asString()
        .startsWith("a: ")
        .contains("80 of 100 are held by 1 streams");
    assertThat(admission.idle()).isTrue();
  }

  @Test
  void keepsABatchBelowItsLimitsButAlwaysLetsOneIn() {
    Admission few = admission(TestEngine.options().toBuilder().batchRounds(1).build());
    ready(few, "a");
    ready(few, "b");
    List<Job> first = few.next(List.of(), 0);
    assertThat(names(first)).containsExactly("a");
    assertThat(few.next(first, 1)).isEmpty();
    first.get(0).turn().abandon(slots);

    Admission small = admission(TestEngine.options().toBuilder().batchRows(1).build());
    ready(small, "c");
    ready(small, "d");
    List<Job> active = new ArrayList<>(small.next(List.of(), 0));
    assertThat(names(active)).containsExactly("c");
    active.addAll(small.next(active, 1));
    assertThat(names(active)).containsExactly("c", "d");
  }

  @Test
  void forgetsTheWaitingRoundsOfAStreamThatIsRemoved() {
    Admission admission = admission(TestEngine.options());
    Job gone = ready(admission, "gone");
    ready(admission, "stays");
    admission.remove(gone.session);
    assertThat(names(admission.next(List.of(), 0))).containsExactly("stays");
  }
}
