// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a stream begins, ends and begins again under its name. */
@Timeout(60)
class StreamLifeTest {
  private final FakeEngines fake = FakeEngines.start();

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void namesTheLifeOfAStreamInEachOfItsEvents() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      Camera camera = new Camera("a");
      bench.offer(camera.command("c-1", CommandKind.START));
      long first = camera.micros;
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.offer(camera.command("c-2", CommandKind.RESET));
      camera.setClock(3600);
      for (int i = 0; i < 4; i++) {
        bench.offer(camera.frame());
      }
      bench.offer(camera.end());
      long second = camera.micros;
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getSubject, TextEvent::getBeganMicros)
          .containsExactly(
              tuple(0L, "c-1", 0L),
              tuple(0L, "", first),
              tuple(1L, "c-2", first),
              tuple(1L, "", first),
              tuple(2L, "", first),
              tuple(3L, "ended", first),
              tuple(0L, "", second));
    }
  }

  /** The command was there before the frame: what a barrier holds back must not change that. */
  @Test
  void answersACommandInTheLifeInWhichItCame() throws Exception {
    OperatorSubtaskState state;
    Camera camera = new Camera("a");
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.harness.prepareSnapshotPreBarrier(1);
      bench.offer(camera.command("c-1", CommandKind.START));
      bench.offer(camera.frame());
      state = bench.harness.snapshot(1, 1);
      bench.settle();
      assertThat(bench.events()).extracting(TextEvent::getBeganMicros).containsExactly(0L);
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      bench.settle();
      assertThat(bench.events()).extracting(TextEvent::getBeganMicros).containsExactly(0L);
    }
  }

  @Test
  void forgetsAStreamThatEnds() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      Camera camera = new Camera("a");
      for (int i = 0; i < 5; i++) {
        bench.offer(camera.frame());
      }
      bench.offer(camera.end());
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getSubject, TextEvent::getKind)
          .endsWith(
              tuple(2L, "", bench.events().get(2).getKind()), tuple(3L, "ended", TextKind.ENDED));
      assertThat(bench.events()).hasSize(4);
      bench.snapshot();
      assertThat(bench.stateEntries()).isZero();

      bench.offer(camera.end()); // a second end is the end of nothing
      Camera again = new Camera("a");
      bench.offer(again.frame());
      bench.offer(again.frame());
      bench.settle();
      assertThat(bench.events()).hasSize(5);
      assertThat(bench.events().get(4).getText()).isEqualTo(bench.events().get(0).getText());
    }
  }

  @Test
  void startsANewStreamOnlyWhenTheOldOneHasEnded() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      fake.hold();
      Camera camera = new Camera("a");
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.offer(camera.end());
      fake.letAllGo();
      Camera again = new Camera("a");
      bench.offer(again.frame());
      bench.offer(again.frame());
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getSubject)
          .containsExactly(tuple(0L, 0L, ""), tuple(1L, -1L, "ended"), tuple(0L, 0L, ""));
    }
  }
}
