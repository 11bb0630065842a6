// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.flink.StateRules.OtherModel;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.TextEvent;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is refused at the start, and what is said when it is not. */
@Timeout(60)
class RestoreCheckTest {
  private static final UnderstandSettings STRICT =
      Bench.PATIENT.with(new StateRules(true, OtherModel.REBUILD, 1 << 28));
  private static final UnderstandSettings ONE_MODEL =
      Bench.PATIENT.with(new StateRules(false, OtherModel.REFUSE, 1 << 28));

  private final FakeEngines made = FakeEngines.start("a", "b");

  @AfterEach
  void closeEngine() {
    made.close();
  }

  private OperatorSubtaskState stateOfFiveStreams() throws Exception {
    try (Bench bench = new Bench(made.engine(), Bench.PATIENT)) {
      for (String id : List.of("v", "w", "x", "y", "z")) {
        second(bench, new Camera(id));
      }
      return bench.snapshot();
    }
  }

  private static void second(Bench bench, Camera camera) throws Exception {
    bench.offer(camera.frame());
    bench.offer(camera.frame());
    bench.settle();
  }

  private static Bench restored(
      FakeEngines engine, UnderstandSettings settings, OperatorSubtaskState state)
      throws Exception {
    return new Bench(engine.engine(), settings, 1, 0, state, null);
  }

  @Test
  void strictNumericsRefusesOtherNumericsAndNamesBoth() throws Exception {
    OperatorSubtaskState state = stateOfFiveStreams();
    try (FakeEngines other = FakeEngines.start("a", "c")) {
      assertThatThrownBy(() -> restored(other, STRICT, state))
          .as("and Flink does not try again for ever")
          .isInstanceOf(SuppressRestartsException.class)
          .hasStackTraceContaining("5 streams (v, w, x …)")
          .hasStackTraceContaining("b".repeat(16) + " (device: b)")
          .hasStackTraceContaining("c".repeat(16) + " (device: c)")
          .hasStackTraceContaining("they differ in device: c, and there b")
          .hasStackTraceContaining("strict-numerics: false");
    }
    try (Bench bench = restored(made, STRICT, state)) {
      assertThat(bench.understanding().inFlight()).as("its own are welcome").isZero();
    }
  }

  /** The parts are known however many changes lie between. */
  @Test
  void remembersWhatEveryIdentityWasMadeOf() throws Exception {
    OperatorSubtaskState first = stateOfFiveStreams();
    OperatorSubtaskState second;
    try (FakeEngines other = FakeEngines.start("a", "c");
        Bench bench = restored(other, Bench.PATIENT, first)) {
      second(bench, new Camera("new"));
      second = bench.snapshot(); // five of them still of identity b
    }
    try (FakeEngines third = FakeEngines.start("a", "d")) {
      assertThatThrownBy(() -> restored(third, STRICT, second))
          .hasStackTraceContaining("they differ in device: d, and there b");
    }
  }

  @Test
  void anotherModelIsRefusedWhenTheJobSaysSo() throws Exception {
    OperatorSubtaskState state = stateOfFiveStreams();
    try (FakeEngines other = FakeEngines.start("d", "b")) {
      assertThatThrownBy(() -> restored(other, ONE_MODEL, state))
          .isInstanceOf(SuppressRestartsException.class)
          .hasStackTraceContaining(
              "was made by model %s, and this job has model %s"
                  .formatted("a".repeat(16), "d".repeat(16)))
          .hasStackTraceContaining("recovery.other-model: rebuild");
    }
  }

  @Test
  void withoutStrictNumericsEachStreamGoesOnAndItsFirstEventIsMarked() throws Exception {
    OperatorSubtaskState state = stateOfFiveStreams();
    List<TextEvent> events = new ArrayList<>();
    try (FakeEngines other = FakeEngines.start("a", "c");
        Bench bench = restored(other, Bench.PATIENT, state)) {
      for (String id : List.of("v", "w", "x", "y", "z")) {
        Camera camera = new Camera(id);
        camera.frame();
        camera.frame();
        second(bench, camera);
        second(bench, camera);
      }
      events.addAll(bench.events());
    }
    assertThat(events).hasSize(10);
    assertThat(events)
        .allSatisfy(
            event ->
                assertThat(event.getMarks())
                    .isEqualTo(event.getChunk() == 1 ? List.of(Mark.NUMERICS_CHANGED) : List.of()));
  }
}
