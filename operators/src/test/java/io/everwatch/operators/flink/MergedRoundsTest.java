// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.flink.UnderstandSettings.Limits;
import io.everwatch.operators.flink.UnderstandSettings.Overload;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Catching up with {@code overload: merge}: which chunks make one round, and what is told. */
@Timeout(60)
class MergedRoundsTest {
  private static final Duration MAX_LAG = Duration.ofSeconds(5);
  private static final long START_MILLIS = Camera.START_MICROS / 1000;

  private final FakeEngines fake = FakeEngines.start();
  private final Camera camera = new Camera("a");

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void chunksFurtherBehindThanTheBoundHaveOneRoundAndAnEventEach() throws Exception {
    try (Bench bench = new Bench(fake.engine(), merging(8))) {
      behind(bench, 6);
      goOn(bench);

      assertThat(chunks(bench.submitted))
          .containsExactly(List.of(0L), range(1, 3), List.of(4L), List.of(5L));
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getMerged)
          .containsExactly(
              tuple(0L, 0L, null),
              tuple(1L, 1L, new MergedRange(1L, 3L)),
              tuple(2L, 2L, new MergedRange(1L, 3L)),
              tuple(3L, 3L, new MergedRange(1L, 3L)),
              tuple(4L, 4L, null),
              tuple(5L, 5L, null));
      TextEvent looked = bench.events().get(2);
      assertThat(looked.getKind()).isEqualTo(TextKind.SILENCE);
      assertThat(looked.getTokenCount()).as("generated").isZero();
      assertThat(looked.getFrames().getReceived()).isEqualTo(2);
      assertThat(looked.getFrames().getUsed()).isEqualTo(2);
      assertThat(looked.getSources()).containsExactly(new SourceRange("frames", 0, 4L, 5L));
      assertThat(bench.events().get(3).getTokenCount()).isPositive();
    }
  }

  @Test
  void aRoundHasAtMostTheChunksThatAreAllowed() throws Exception {
    try (Bench bench = new Bench(fake.engine(), merging(2))) {
      behind(bench, 6);
      goOn(bench);

      assertThat(chunks(bench.submitted))
          .containsExactly(List.of(0L), range(1, 2), range(3, 4), List.of(5L));
    }
  }

  @Test
  void whatIsInTimeOrOfAnotherModeHasARoundOfItsOwn() throws Exception {
    try (Bench bench = new Bench(fake.engine(), merging(8))) {
      behind(bench, 6);
      bench.harness.setProcessingTime(START_MILLIS + 6000);
      fake.letAllGo();
      bench.settle();
      assertThat(bench.submitted).hasSize(6);
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      behind(bench, 6);
      goOn(bench);
      assertThat(bench.submitted).hasSize(6);
    }
  }

  @Test
  void commandsGapsClocksAndFrameRatesAreNeverInside() throws Exception {
    try (Bench bench = new Bench(fake.engine(), merging(8))) {
      behind(bench, 3);
      bench.offer(camera.command("c", CommandKind.SET, Map.of("seed", "1"), ""));
      bench.offerSeconds(2, camera);
      camera.rest(3);
      bench.offerSeconds(2, camera); // 8 and 9
      camera.setClock(3600);
      bench.offerSeconds(2, camera); // 10 and 11
      bench.offer(camera.command("fps", CommandKind.SET, Map.of("fps", "1"), ""));
      bench.offerSeconds(3, camera);
      bench.harness.setProcessingTime(START_MILLIS + 60_000);
      fake.letAllGo();
      bench.settle();

      assertThat(chunks(bench.submitted))
          .containsExactly(
              List.of(0L),
              range(1, 2),
              range(3, 4),
              range(8, 9),
              range(10, 11),
              range(12, 13),
              List.of(14L));
      assertThat(bench.events())
          .filteredOn(event -> !event.getAppliedCommands().isEmpty())
          .extracting(TextEvent::getChunk, TextEvent::getAppliedCommands)
          .containsExactly(tuple(3L, List.of("c")), tuple(12L, List.of("fps")));
    }
  }

  @Test
  void aCommandSetsTheModeOfOneStream() throws Exception {
    Camera other = new Camera("b", 1);
    UnderstandSettings block = Bench.PATIENT.with(new Overload(OverloadMode.BLOCK, MAX_LAG, 8));
    try (Bench bench = new Bench(fake.engine(), block)) {
      fake.hold();
      bench.harness.setProcessingTime(START_MILLIS + 1000);
      bench.offer(camera.command("c", CommandKind.START, Map.of("overload", "merge"), ""));
      bench.offerSeconds(6, camera, other);
      goOn(bench);

      assertThat(bench.events())
          .filteredOn(event -> event.getMerged() != null)
          .extracting(TextEvent::getStreamId)
          .containsOnly("a")
          .hasSize(3);
    }
  }

  @Test
  void aBacklogThatIsParkedIsTakenUpTogether() throws Exception {
    UnderstandSettings narrow = merging(8).with(Limits.DEFAULT.withInFlight(4));
    try (Bench bench = new Bench(fake.engine(), narrow)) {
      behind(bench, 20);
      assertThat(bench.understanding().parked()).isEqualTo(18);
      bench.harness.setProcessingTime(START_MILLIS + 60_000);
      fake.letAllGo();
      bench.settle();

      assertThat(chunks(bench.submitted))
          .containsExactly(
              List.of(0L),
              range(1, 3),
              range(4, 6),
              range(7, 9),
              range(10, 12),
              range(13, 15),
              range(16, 18),
              List.of(19L));
      assertThat(bench.events()).extracting(TextEvent::getChunk).isEqualTo(range(0, 19));
      assertThat(bench.understanding().heapBytes()).isZero();
    }
  }

  @Test
  void picturesOfARoundFitTheHeapUnlessOneChunkDoesNot() throws Exception {
    long one = 2L * (3 * Camera.SIDE * Camera.SIDE + 512) + 512;
    UnderstandSettings narrow = merging(8).with(new Limits(4, 2 * one, 1 << 20, 0));
    try (Bench bench = new Bench(fake.engine(), narrow)) {
      behind(bench, 8);
      bench.harness.setProcessingTime(START_MILLIS + 60_000);
      fake.letAllGo();
      bench.settle();

      assertThat(chunks(bench.submitted))
          .containsExactly(List.of(0L), range(1, 2), range(3, 4), range(5, 6), List.of(7L));
    }
  }

  @Test
  void whatWasDecidedBeforeACheckpointIsSubmittedAgainAfterIt() throws Exception {
    OperatorSubtaskState state;
    UnderstandSettings impatient =
        Bench.IMPATIENT.with(new Overload(OverloadMode.MERGE, MAX_LAG, 8));
    try (Bench bench = new Bench(fake.engine(), impatient)) {
      behind(bench, 6);
      bench.harness.setProcessingTime(START_MILLIS + 10_000);
      fake.letGo();
      bench.runMail(); // chunk 0 is answered, and 1 to 3 go to the engine
      assertThat(chunks(bench.submitted)).endsWith(range(1, 3));
      state = bench.snapshot();
      fake.letAllGo();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) { // which would not merge
      bench.settle();
      assertThat(chunks(bench.submitted))
          .containsExactly(List.of(0L), range(1, 3), List.of(4L), List.of(5L));
      assertThat(bench.events()).extracting(TextEvent::getChunk).isEqualTo(range(1, 5));
    }
  }

  @Test
  void theLogRunsAMergedRoundAgainInOnePrefill() throws Exception {
    OperatorSubtaskState state = caughtUp();
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      bench.offerSeconds(1, camera);
      bench.settle();
      assertThat(chunks(bench.submitted))
          .containsExactly(List.of(0L), range(1, 3), List.of(4L), List.of(5L), List.of(6L));
      assertThat(bench.events()).singleElement().satisfies(e -> assertThat(e.getMarks()).isEmpty());
    }
  }

  @Test
  void recordedMergesWaitForTheirChunksAndEndWhereTheRowDoes() throws Exception {
    StreamKey key = camera.frame(0, Camera.START_MICROS).key();
    RecordedDecisions recorded =
        new RecordedDecisions(
            key, List.of(), List.of(new MergedChunks(1, 3), new MergedChunks(4, 9)));
    UnderstandSettings narrow = Bench.PATIENT.with(new Limits(1, 1, 0, 0));
    try (Bench bench = new Bench(fake.engine(), narrow, recorded, 1, 0, null, null)) {
      bench.offerSeconds(3, camera);
      bench.runMails();
      bench.offerSeconds(4, camera);
      bench.harness.endInput(); // 7 to 9 never come
      bench.settle();

      assertThat(chunks(bench.submitted)).containsExactly(List.of(0L), range(1, 3), range(4, 6));
    }
  }

  @Test
  void aChunkWithoutAnyUsablePictureIsAnErrorOfItsOwnAndWhatItWasToForgetIsForgotten()
      throws Exception {
    try (Bench bench = new Bench(fake.engine(), merging(8))) {
      behind(bench, 1);
      camera.rest(20); // longer than the visual window: what comes next is to forget it
      bench.offer(camera.bad(new byte[] {1}, FrameEncoding.JPEG));
      bench.offer(camera.bad(new byte[] {2}, FrameEncoding.JPEG));
      bench.offerSeconds(3, camera);
      bench.harness.setProcessingTime(START_MILLIS + 60_000);
      fake.letAllGo();
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getKind, TextEvent::getRound)
          .startsWith(
              tuple(0L, bench.events().get(0).getKind(), 0L),
              tuple(1L, TextKind.GAP, -1L),
              tuple(21L, TextKind.ERROR, -1L),
              tuple(22L, TextKind.SILENCE, 1L));
      TextEvent error = bench.events().get(2);
      assertThat(error.getText()).startsWith("none of the 2 frames of chunk 21 can be used");
      assertThat(error.getFrames().getUsed()).isZero();
      assertThat(error.getMerged()).isEqualTo(new MergedRange(21L, 23L));
      assertThat(bench.deadLetters()).hasSize(2).allMatch(letter -> letter.getChunk() == 21);
      LoggedRound logged = requireNonNull(bench.stateOf("a").log().get(1L));
      assertThat(logged.chunk()).isEqualTo(22);
      assertThat(logged.dropVision()).isTrue();
    }
  }

  @Test
  void aRoundThatTheEngineRefusesIsMadeChunkByChunkAlsoAfterARestore() throws Exception {
    OperatorSubtaskState state;
    List<TextEvent> before;
    UnderstandSettings impatient =
        Bench.IMPATIENT.with(new Overload(OverloadMode.MERGE, MAX_LAG, 8));
    try (Bench bench = new Bench(fake.engine(), impatient)) {
      behind(bench, 3);
      bench.offer(camera.bad(new byte[] {1}, FrameEncoding.JPEG)); // chunk 3, which would answer
      bench.offer(camera.bad(new byte[] {2}, FrameEncoding.JPEG));
      bench.offerSeconds(1, camera);
      bench.harness.setProcessingTime(START_MILLIS + 60_000);
      fake.letAllGo();
      while (bench.events().size() < 2) {
        bench.runMail();
      }
      state = bench.snapshot();
      before = bench.events();
    }
    assertThat(before).extracting(TextEvent::getChunk).isEqualTo(range(0, before.size() - 1));
    try (Bench bench = new Bench(fake.engine(), merging(8), state, START_MILLIS + 60_000)) {
      bench.settle();
      assertThat(bench.events()).extracting(TextEvent::getChunk).isEqualTo(range(before.size(), 4));
      assertThat(bench.events()).extracting(TextEvent::getMerged).containsOnlyNulls();
      assertThat(bench.events().get(bench.events().size() - 2).getKind()).isEqualTo(TextKind.ERROR);
      assertThat(bench.deadLetters()).hasSize(2);
    }
    assertThat(before).extracting(TextEvent::getMerged).containsOnlyNulls();
  }

  @Test
  void aRoundThatTheDeviceRefusesIsMadeChunkByChunk() throws Exception {
    try (Bench bench = new Bench(fake.engine(), merging(8))) {
      behind(bench, 6);
      bench.harness.setProcessingTime(START_MILLIS + 10_000);
      letGoUntilItIsSubmitted(bench, range(1, 3));
      fake.refuseNextPrefills(2); // with others, and alone
      fake.letAllGo();
      bench.settle();

      assertThat(chunks(bench.submitted))
          .containsExactly(
              List.of(0L),
              range(1, 3),
              List.of(1L),
              List.of(2L),
              List.of(3L),
              List.of(4L),
              List.of(5L));
      assertThat(bench.events()).extracting(TextEvent::getChunk).isEqualTo(range(0, 5));
      assertThat(bench.events()).extracting(TextEvent::getMerged).containsOnlyNulls();
    }
  }

  @Test
  void aLoggedRoundThatTheDeviceRefusesIsRunAgainChunkByChunkAndMarked() throws Exception {
    OperatorSubtaskState state = caughtUp();
    fake.hold();
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      bench.offerSeconds(1, camera);
      letGoUntilItIsSubmitted(bench, range(1, 3));
      fake.refuseNextPrefills(2);
      fake.letAllGo();
      bench.settle();

      assertThat(chunks(bench.submitted).subList(2, 8))
          .isEqualTo(range(1, 6).stream().map(List::of).toList());
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getMarks)
          .containsExactly(tuple(6L, 6L, List.of(Mark.REBUILT)));
    }
  }

  @Test
  void aMemoryOfAnotherModelIsRebuiltFromThemInOnePrefill() throws Exception {
    OperatorSubtaskState state = caughtUp();
    try (FakeEngines others = FakeEngines.start("c", "b");
        Bench bench = new Bench(others.engine(), Bench.PATIENT, state)) {
      bench.offerSeconds(1, camera);
      bench.settle();

      assertThat(chunks(bench.submitted)).containsExactly(range(0, 5), List.of(6L));
      assertThat(bench.submitted.get(0).earlier().get(2).said())
          .as("looked at in silence")
          .isEmpty();
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getMarks)
          .containsExactly(tuple(6L, 6L, List.of(Mark.REBUILT)));
    }
  }

  /** Chunks 1 to 3 had one round, and all are in the log. */
  private OperatorSubtaskState caughtUp() throws Exception {
    try (Bench bench = new Bench(fake.engine(), merging(8))) {
      behind(bench, 6);
      goOn(bench);
      return bench.snapshot();
    }
  }

  private void letGoUntilItIsSubmitted(Bench bench, List<Long> round) throws Exception {
    while (!chunks(bench.submitted).contains(round)) {
      fake.letGo();
      bench.runMail();
    }
  }

  /** So many seconds come while the engine stands still with the first of them. */
  private void behind(Bench bench, int seconds) throws Exception {
    fake.hold();
    bench.harness.setProcessingTime(START_MILLIS + 1000);
    bench.offerSeconds(seconds, camera);
  }

  /** Ten seconds after the first frame the engine goes on. */
  private void goOn(Bench bench) throws Exception {
    bench.harness.setProcessingTime(START_MILLIS + 10_000);
    fake.letAllGo();
    bench.settle();
  }

  private static UnderstandSettings merging(int chunks) {
    return Bench.PATIENT.with(new Overload(OverloadMode.MERGE, MAX_LAG, chunks));
  }

  private static List<List<Long>> chunks(List<RoundInput> rounds) {
    return rounds.stream()
        .map(
            round ->
                LongStream.concat(
                        round.earlier().stream().mapToLong(RoundInput::chunk),
                        LongStream.of(round.chunk()))
                    .boxed()
                    .toList())
        .toList();
  }

  private static List<Long> range(long from, long to) {
    return LongStream.rangeClosed(from, to).boxed().toList();
  }
}
