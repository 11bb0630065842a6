// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.List;
import java.util.Map;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The frame rate of a stream: by a command, and when the job's has changed. */
@Timeout(60)
class FrameRateTest {
  private final FakeEngines fake = FakeEngines.start();
  private final Camera camera = new Camera("a");
  private long sequence;

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void holdsFromTheNextChunkOnWhateverWaits() throws Exception {
    for (boolean held : new boolean[] {false, true}) {
      sequence = 0;
      try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
        if (held) {
          fake.hold();
        }
        quarters(bench, 5); // chunk 1 is open
        bench.offer(camera.command("c" + held, CommandKind.SET, Map.of("fps", "4"), ""));
        quarters(bench, 7);
        bench.offer(camera.command("d" + held, CommandKind.SET, Map.of("fps", "1"), ""));
        quarters(bench, 4);
        fake.letAllGo();
        bench.settle();

        assertThat(bench.submitted)
            .as("held: %s", held)
            .extracting(input -> input.chunk(), input -> input.frames().size())
            .containsExactly(tuple(0L, 2), tuple(1L, 2), tuple(2L, 4), tuple(3L, 1));
        assertThat(bench.events())
            .filteredOn(event -> event.getSubject().isEmpty())
            .extracting(e -> e.getFrames().getUsed() + e.getFrames().getMissing())
            .containsExactly(2, 2, 4, 1);
        assertThat(bench.events())
            .filteredOn(event -> event.getKind() == TextKind.NOTICE)
            .extracting(TextEvent::getText)
            .containsExactly("set: fps=4", "set: fps=1");
      }
    }
  }

  @Test
  void aStartMaySetItBeforeTheFirstFrame() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offer(camera.command("s", CommandKind.START, Map.of("fps", "4"), ""));
      bench.settle();
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      quarters(bench, 4);
      bench.settle();
      assertThat(bench.submitted).extracting(i -> i.frames().size()).containsExactly(4);
    }
  }

  @Test
  void aRefusedOrRepeatedCommandDoesNotChangeIt() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offer(camera.command("c", CommandKind.START, Map.of("fps", "4"), ""));
      bench.offer(camera.command("r", CommandKind.START, Map.of("fps", "1"), "")); // it runs
      bench.offer(camera.command("c", CommandKind.SET, Map.of("fps", "1"), "")); // seen
      bench.offer(camera.command("b", CommandKind.SET, Map.of("fps", "1", "seed", "x"), ""));
      quarters(bench, 4);
      bench.settle();
      assertThat(bench.submitted).extracting(i -> i.frames().size()).containsExactly(4);
    }
  }

  @Test
  void aStreamKeepsItsGridWhenTheJobHasAnother() throws Exception {
    OperatorSubtaskState state;
    List<TextEvent> expected;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      quarters(bench, 6); // one chunk is open
      bench.settle();
      state = bench.snapshot();
      quarters(bench, 6);
      bench.settle();
      expected = bench.events().subList(1, 3);
    }
    Camera again = new Camera("a");
    for (sequence = 0; sequence < 6; sequence++) {
      again.frame(sequence, 0); // was read before
    }
    try (FakeEngines edited = FakeEngines.onGrid(2_000_000, 8);
        Bench bench = new Bench(edited.engine(), Bench.PATIENT, state)) {
      quarters(bench, again, 6);
      bench.settle();
      assertThat(bench.events()).as("nothing is lost").isEqualTo(expected);

      bench.offer(again.command("r", CommandKind.RESET)); // the memory begins again, on its grid
      quarters(bench, again, 4);
      bench.settle();
      TextEvent last = bench.events().get(bench.events().size() - 1);
      assertThat(last.getEndMicros() - last.getStartMicros()).isEqualTo(1_000_000);
      assertThat(last.getChunk()).isEqualTo(3);
      assertThat(last.getRound()).isZero();

      Camera young = new Camera("new", 1);
      for (int i = 0; i < 8; i++) {
        bench.offer(young.frame(i, Camera.START_MICROS + i * 250_000L));
      }
      bench.settle();
      assertThat(bench.submitted.get(bench.submitted.size() - 1).frames()).hasSize(8);
    }
  }

  private void quarters(Bench bench, int count) throws Exception {
    quarters(bench, camera, count);
  }

  private void quarters(Bench bench, Camera from, int count) throws Exception {
    for (int i = 0; i < count; i++) {
      bench.offer(from.frame(sequence, Camera.START_MICROS + sequence * 250_000L));
      sequence++;
    }
  }
}
