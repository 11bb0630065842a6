// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.TextEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a barrier waits for and stores, and how streams go on from it. */
@Timeout(60)
class RestoreTest {
  private static final UnderstandSettings EACH_CHECKPOINT =
      Bench.settings(Duration.ofSeconds(10), Duration.ZERO);

  private final FakeEngines fake = FakeEngines.start();
  private final Camera a = new Camera("a", 0);
  private final Camera b = new Camera("b", 1);

  @AfterEach
  void closeEngine() {
    fake.close();
  }

  @Test
  void waitsForTheRunningRoundAtABarrier() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      fake.hold();
      bench.offerSeconds(2, a);
      fake.letGo();

      bench.snapshot(); // its clock stands still: without the answer it would wait for ever

      assertThat(bench.events()).extracting(TextEvent::getChunk).containsExactly(0L);
      fake.letAllGo();
    }
  }

  @Test
  void storesWhatABarrierDoesNotWaitForAndAnswersItFirst() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT)) {
      fake.hold();
      bench.offerSeconds(3, a, b);
      state = bench.snapshot();
      assertThat(bench.events()).isEmpty();
      fake.letAllGo();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT, state)) {
      bench.settle(); // no record was offered

      assertThat(bench.events())
          .extracting(TextEvent::getStreamId, TextEvent::getChunk)
          .containsExactlyInAnyOrder(
              tuple("a", 0L),
              tuple("a", 1L),
              tuple("a", 2L),
              tuple("b", 0L),
              tuple("b", 1L),
              tuple("b", 2L));
    }
  }

  @Test
  void givesTheEngineNoMoreAtOnceThanItMayThoughMoreWaits() throws Exception {
    List<Camera> cameras = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      cameras.add(new Camera("camera-" + i, i));
    }
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT)) {
      fake.hold();
      bench.offerSeconds(2, cameras.toArray(Camera[]::new));
      state = bench.snapshot();
      fake.letAllGo();
    }
    UnderstandSettings narrow =
        new UnderstandSettings(2, Duration.ZERO, Duration.ofHours(1), 1 << 16);
    fake.hold();
    try (Bench bench = new Bench(fake.engine(), narrow, state)) {
      assertThat(bench.submitted).hasSize(2);
      fake.letAllGo();
      bench.settle();
      assertThat(bench.events()).hasSize(18);
    }
  }

  @Test
  void runsOnlyTheRoundsSinceTheLastSnapshotAgain() throws Exception {
    assertThat(chunksAfterRestore(Bench.PATIENT)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L);
    // At most: a log that has grown as large as the memory makes it due as well.
    assertThat(chunksAfterRestore(EACH_CHECKPOINT)).hasSizeBetween(1, 3).endsWith(7L);
  }

  /**
   * Five seconds, a checkpoint, a snapshot if one is due, two seconds, checkpoint, restore, one.
   */
  private List<Long> chunksAfterRestore(UnderstandSettings settings) throws Exception {
    Camera camera = new Camera("a");
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), settings)) {
      bench.offerSeconds(5, camera);
      bench.settle();
      bench.snapshot();
      if (settings.equals(EACH_CHECKPOINT)) {
        bench.awaitSnapshots(1);
      }
      bench.offerSeconds(2, camera);
      bench.settle();
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), settings, state)) {
      bench.offerSeconds(1, camera);
      bench.settle();
      assertThat(bench.events()).extracting(TextEvent::getChunk).containsExactly(7L);
      return bench.submitted.stream().map(RoundInput::chunk).toList();
    }
  }

  @Test
  void asksAgainToForgetTheVisualRoundsWhenTheRoundThatWasToFails() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(2, a);
      a.rest(20);
      for (int i = 0; i < 4; i++) {
        bench.offer(a.bad(new byte[3], FrameEncoding.JPEG));
      }
      bench.settle();
      assertThat(bench.submitted)
          .extracting(RoundInput::dropVision)
          .containsExactly(false, false, true, true);
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      bench.offerSeconds(2, a);
      bench.settle();
      assertThat(bench.submitted) // two of the log, two new
          .extracting(RoundInput::dropVision)
          .containsExactly(false, false, true, false);
    }
  }

  @Test
  void keepsAStreamsSettingsWhenTheJobsHaveChanged() throws Exception {
    keepsSettings(Bench.PATIENT); // no memory but the beginning, and a log
    keepsSettings(EACH_CHECKPOINT);
  }

  private void keepsSettings(UnderstandSettings settings) throws Exception {
    Camera camera = new Camera("a");
    OperatorSubtaskState state;
    List<TextEvent> expected;
    try (Bench bench = new Bench(fake.engine(), settings)) {
      bench.offerSeconds(3, camera);
      bench.settle();
      bench.snapshot();
      if (settings.equals(EACH_CHECKPOINT)) {
        bench.awaitSnapshots(1);
      }
      state = bench.snapshot();
      bench.offerSeconds(2, camera);
      bench.settle();
      expected = bench.events().subList(3, 5);
    }
    Camera again = new Camera("a");
    for (int i = 0; i < 6; i++) {
      again.frame();
    }
    try (FakeEngines edited = FakeEngines.instructed("watch something else");
        Bench bench = new Bench(edited.engine(), settings, state)) {
      bench.offerSeconds(2, again);
      bench.offerSeconds(1, new Camera("new", 1));
      bench.settle();
      assertThat(bench.events())
          .filteredOn(event -> event.getStreamId().equals("a"))
          .isEqualTo(expected);
      assertThat(bench.events())
          .filteredOn(event -> event.getStreamId().equals("new"))
          .isNotEmpty()
          .noneMatch(e -> e.getPromptDigest().equals(expected.get(0).getPromptDigest()));
    }
  }

  @Test
  void marksTheFirstEventUnderOtherNumerics() throws Exception {
    OperatorSubtaskState state = stateOfFourSeconds();
    try (FakeEngines other = FakeEngines.start("a", "c");
        Bench bench = new Bench(other.engine(), EACH_CHECKPOINT, state)) {
      bench.offerSeconds(2, a);
      bench.settle();
      assertThat(bench.events())
          .extracting(TextEvent::getRound, TextEvent::getMarks, TextEvent::getNumericsDigest)
          .containsExactly(
              tuple(4L, List.of(Mark.NUMERICS_CHANGED), "c".repeat(16)),
              tuple(5L, List.of(), "c".repeat(16)));
    }
  }

  @Test
  void keepsAMarkThatNoEventCarriedYetOverAnotherRestore() throws Exception {
    OperatorSubtaskState state = stateOfFourSeconds();
    try (FakeEngines other = FakeEngines.start("a", "c")) {
      OperatorSubtaskState second;
      try (Bench bench = new Bench(other.engine(), EACH_CHECKPOINT, state)) {
        bench.offer(a.frame()); // half a chunk: no event yet
        second = bench.snapshot();
        assertThat(bench.events()).isEmpty();
      }
      try (Bench bench = new Bench(other.engine(), EACH_CHECKPOINT, second)) {
        bench.offer(a.frame());
        bench.settle();
        assertThat(bench.events())
            .extracting(TextEvent::getMarks)
            .containsExactly(List.of(Mark.NUMERICS_CHANGED));
      }
    }
  }

  @Test
  void keepsAMarkMadeBetweenTwoCheckpointsWhileTheLogRan() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(2, a);
      bench.settle();
      LoggedRound round = requireNonNull(bench.stateOf("a").log().get(1L));
      bench
          .stateOf("a")
          .storedLog()
          .put(
              1L,
              new LoggedRound(
                  round.chunk(),
                  round.dropVision(),
                  round.frames(),
                  Map.of(),
                  round.outcome() + 1,
                  round.said(),
                  round.joined()));
      state = bench.snapshot();
    }
    UnderstandSettings hasty = Bench.settings(Duration.ZERO, Duration.ZERO);
    OperatorSubtaskState second;
    try (Bench bench = new Bench(fake.engine(), hasty, state)) {
      fake.hold();
      bench.offer(a.frame());
      bench.snapshot();
      fake.letAllGo();
      bench.runMail(); // goes on after the checkpoint
      bench.runMail(); // two rounds of the log, one at a time
      bench.runMail();
      bench.snapshot();
      bench.awaitSnapshots(1);
      second = bench.snapshot();
      assertThat(bench.events()).isEmpty();
    }
    try (Bench bench = new Bench(fake.engine(), hasty, second)) {
      bench.offer(a.frame());
      bench.settle();
      assertThat(bench.submitted).hasSize(1);
      assertThat(bench.events())
          .extracting(TextEvent::getMarks)
          .containsExactly(List.of(Mark.REBUILT));
    }
  }

  private OperatorSubtaskState stateOfFourSeconds() throws Exception {
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      bench.offerSeconds(4, a);
      bench.settle();
      bench.snapshot();
      bench.awaitSnapshots(1);
      return bench.snapshot();
    }
  }
}
