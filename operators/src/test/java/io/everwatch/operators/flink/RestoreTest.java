// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.TextEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RestoreTest {
  private static final UnderstandSettings EACH_CHECKPOINT = settings(10_000, 0);
  private static final UnderstandSettings NEVER = settings(10_000, 3_600_000);

  private final FakeEngines fake = FakeEngines.start();
  private final Camera a = new Camera("a", 0);
  private final Camera b = new Camera("b", 1);

  private static UnderstandSettings settings(long drainMillis, long intervalMillis) {
    return new UnderstandSettings(
        64, Duration.ofMillis(drainMillis), Duration.ofMillis(intervalMillis), 1 << 16);
  }

  @AfterEach
  void closeEngine() {
    fake.close();
  }

  @Test
  void waitsForTheRunningRoundAtABarrier() throws Exception {
    try (Bench bench = new Bench(fake.engine(), NEVER)) {
      fake.hold();
      seconds(bench, 2, a);
      fake.letGo();

      bench.snapshot(); // its clock stands still: without the answer it would wait for ever

      assertThat(bench.events()).extracting(TextEvent::getChunk).containsExactly(0L);
      fake.letAllGo();
    }
  }

  @Test
  void storesWhatABarrierDoesNotWaitForAndAnswersItFirst() throws Exception {
    UnderstandSettings impatient = settings(0, 3_600_000);
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), impatient)) {
      fake.hold();
      seconds(bench, 3, a, b);
      state = bench.snapshot();
      assertThat(bench.events()).isEmpty();
      fake.letAllGo();
    }
    try (Bench bench = restored(fake, impatient, state)) {
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
    try (Bench bench = new Bench(fake.engine(), settings(0, 3_600_000))) {
      fake.hold();
      seconds(bench, 2, cameras.toArray(Camera[]::new));
      state = bench.snapshot();
      fake.letAllGo();
    }
    UnderstandSettings narrow =
        new UnderstandSettings(2, Duration.ZERO, Duration.ofHours(1), 1 << 16);
    fake.hold();
    try (Bench bench = restored(fake, narrow, state)) {
      assertThat(bench.submitted).hasSize(2);
      fake.letAllGo();
      bench.settle();
      assertThat(bench.events()).hasSize(18);
    }
  }

  @Test
  void runsOnlyTheRoundsSinceTheLastSnapshotAgain() throws Exception {
    assertThat(chunksAfterRestore(NEVER)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L);
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
      seconds(bench, 5, camera);
      bench.settle();
      bench.snapshot();
      if (settings.equals(EACH_CHECKPOINT)) {
        bench.awaitSnapshots(1);
      }
      seconds(bench, 2, camera);
      bench.settle();
      state = bench.snapshot();
    }
    try (Bench bench = restored(fake, settings, state)) {
      seconds(bench, 1, camera);
      bench.settle();
      assertThat(bench.events()).extracting(TextEvent::getChunk).containsExactly(7L);
      return bench.submitted.stream().map(RoundInput::chunk).toList();
    }
  }

  @Test
  void asksAgainToForgetTheVisualRoundsWhenTheRoundThatWasToFails() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), NEVER)) {
      seconds(bench, 2, a);
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
    try (Bench bench = restored(fake, NEVER, state)) {
      seconds(bench, 2, a);
      bench.settle();
      assertThat(bench.submitted) // two of the log, two new
          .extracting(RoundInput::dropVision)
          .containsExactly(false, false, true, false);
    }
  }

  @Test
  void writesAMemoryWhenItsLogHasGrownAsLarge() throws Exception {
    try (Bench bench = new Bench(fake.engine(), settings(10_000, 50_000))) {
      bench.harness.setProcessingTime(1);
      seconds(bench, 1, a);
      bench.settle();
      bench.harness.setProcessingTime(50_001); // the first by time: its size is not known before
      seconds(bench, 1, a);
      bench.settle();
      bench.awaitSnapshots(1);
      long pieces = piecesOf(bench, "a").values().stream().mapToLong(p -> p.length).sum();
      long perSecond = 2L * Camera.SIDE * Camera.SIDE * 3;

      seconds(bench, (int) (pieces / perSecond) + 1, a);
      bench.settle();
      bench.awaitSnapshots(2);
    }
  }

  @Test
  void doesNotAskForAMemoryThatIsBeingWritten() throws Exception {
    try (Bench bench = new Bench(fake.engine(), settings(10_000, 50_000))) {
      bench.harness.setProcessingTime(1);
      seconds(bench, 1, a);
      bench.settle();
      bench.harness.setProcessingTime(50_001);
      seconds(bench, 1, a);
      bench.settle();
      bench.awaitSnapshots(1);

      bench.snapshotsMayEnd = new CompletableFuture<>();
      while (bench.snapshotsAsked.get() < 2) {
        seconds(bench, 1, a);
        bench.settle();
      }
      seconds(bench, 2, a);
      bench.settle();
      bench.snapshotsMayEnd.complete(null);
      bench.awaitSnapshots(2);
      assertThat(bench.snapshotsAsked).hasValue(2);
    }
  }

  @Test
  void asksForAMemoryThatCouldNotBeCopiedOncePerInterval() throws Exception {
    try (Bench bench = new Bench(fake.engine(), settings(10_000, 50_000))) {
      bench.harness.setProcessingTime(1);
      seconds(bench, 1, a);
      bench.settle();
      bench.harness.setProcessingTime(50_001);
      seconds(bench, 1, a);
      bench.settle();
      bench.awaitSnapshots(1);

      bench.snapshotsFail.set(true);
      seconds(bench, 60, a); // many times as much as the memory
      bench.settle();
      assertThat(bench.snapshotsAsked).hasValue(2);
      assertThat(logOf(bench, "a")).hasSizeGreaterThan(50);

      bench.snapshotsFail.set(false);
      bench.harness.setProcessingTime(200_000);
      seconds(bench, 1, a);
      bench.settle();
      bench.awaitSnapshots(2);
      assertThat(logOf(bench, "a")).isEmpty();
    }
  }

  @Test
  void failsTheTaskWhenAMemoryCannotBeCopiedAgainAndAgain() throws Exception {
    try (Bench bench = new Bench(fake.engine(), settings(10_000, 1000))) {
      bench.snapshotsFail.set(true);
      seconds(bench, 1, a); // opens it
      bench.settle();
      for (int i = 1; i < SnapshotWriter.FAILURES; i++) {
        bench.harness.setProcessingTime(2000L * i);
        seconds(bench, 1, a);
        bench.settle();
        assertThat(bench.snapshotsAsked).hasValue(i);
      }
      bench.harness.setProcessingTime(2000L * SnapshotWriter.FAILURES);
      seconds(bench, 1, a);
      assertThatThrownBy(bench::settle)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("the memory of stream a could not be copied 10 times in a row")
          .hasRootCauseMessage("as the test wants it");
    }
  }

  /** One good copy forgives all that failed before. */
  @Test
  void countsOnlyCopiesThatFailInARow() throws Exception {
    try (Bench bench = new Bench(fake.engine(), settings(10_000, 1000))) {
      for (int i = 1; i <= 3 * SnapshotWriter.FAILURES; i++) {
        boolean good = i % SnapshotWriter.FAILURES == 0;
        bench.snapshotsFail.set(!good);
        bench.harness.setProcessingTime(2000L * i);
        seconds(bench, 1, a);
        bench.settle();
        if (good) {
          bench.awaitSnapshots(i / SnapshotWriter.FAILURES);
        }
      }
      assertThat(bench.understanding().memoriesWritten()).isEqualTo(3);
    }
  }

  /** Sixty-four that come up together, for three intervals: architecture §7. */
  @Test
  void spreadsTheCopiesOfManyStreamsOverTheInterval() throws Exception {
    int interval = 16;
    List<Camera> cameras = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      cameras.add(new Camera("camera-" + i, i));
    }
    try (Bench bench = new Bench(fake.engine(), settings(10_000, interval * 1000L))) {
      bench.snapshotsFail.set(true); // else a log as large as this small memory asks as well
      List<Integer> perSecond = new ArrayList<>();
      for (int second = 1; second <= 3 * interval; second++) {
        bench.harness.setProcessingTime(second * 1000L);
        int before = bench.snapshotsAsked.get();
        seconds(bench, 1, cameras.toArray(Camera[]::new));
        bench.settle();
        perSecond.add(bench.snapshotsAsked.get() - before);
      }
      assertThat(sum(perSecond.subList(interval, 3 * interval)))
          .as("each stream once per interval")
          .isEqualTo(2 * 64);
      assertThat(perSecond)
          .as("of the 64, in any second")
          .allMatch(count -> count <= 2 * 64 / interval);
    }
  }

  private static int sum(List<Integer> counts) {
    return counts.stream().mapToInt(Integer::intValue).sum();
  }

  /** With 0, every checkpoint asks for all of them, and waits for none. */
  @Test
  void copiesNothingWhileACheckpointPasses() throws Exception {
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      seconds(bench, 1, a, b);
      bench.settle();
      bench.snapshotsMayEnd = new CompletableFuture<>();
      Set<Long> before = piecesOf(bench, "a").keySet();

      bench.snapshot();

      assertThat(bench.snapshotsAsked).as("one at a time").hasValue(1);
      assertThat(piecesOf(bench, "a").keySet()).isEqualTo(before);
      bench.snapshotsMayEnd.complete(null);
      bench.awaitSnapshots(2);
      assertThat(piecesOf(bench, "a").keySet()).isNotEqualTo(before);
    }
  }

  @Test
  void keepsOneSnapshotAndTheRoundsAfterIt() throws Exception {
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      for (int i = 1; i <= 5; i++) {
        seconds(bench, 2, a);
        bench.settle();
        bench.snapshot();
        bench.awaitSnapshots(i);
      }
      seconds(bench, 1, a);
      bench.settle();

      assertThat(piecesOf(bench, "a").keySet().stream().map(key -> key >> 20).distinct())
          .hasSize(1);
      assertThat(logOf(bench, "a").keySet()).isSubsetOf(10L);
    }
  }

  @Test
  void rebuildsAStreamWithADamagedPieceAndLeavesTheOthersAlone() throws Exception {
    List<TextEvent> expected = lastEvents(false);
    List<TextEvent> actual = lastEvents(true);

    assertThat(actual)
        .filteredOn(event -> event.getStreamId().equals("b"))
        .isEqualTo(expected.stream().filter(event -> event.getStreamId().equals("b")).toList());
    assertThat(actual)
        .filteredOn(event -> event.getStreamId().equals("a"))
        .extracting(TextEvent::getChunk, TextEvent::getMarks)
        .containsExactly(tuple(5L, List.of(Mark.REBUILT)), tuple(6L, List.of()));
    assertThat(expected).allMatch(event -> event.getMarks().isEmpty());
  }

  private List<TextEvent> lastEvents(boolean damage) throws Exception {
    Camera one = new Camera("a", 0);
    Camera two = new Camera("b", 1);
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      seconds(bench, 4, one, two);
      bench.settle();
      bench.snapshot();
      bench.awaitSnapshots(2);
      seconds(bench, 1, one, two);
      bench.settle();
      if (damage) {
        damage(bench, "a", 1);
      }
      state = bench.snapshot();
    }
    try (Bench bench = restored(fake, EACH_CHECKPOINT, state)) {
      seconds(bench, 2, one, two);
      bench.settle();
      return bench.events();
    }
  }

  @Test
  void rebuildsAStreamWithAMissingPiece() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      seconds(bench, 4, a);
      bench.settle();
      bench.snapshot();
      bench.awaitSnapshots(1);
      long second = piecesOf(bench, "a").keySet().stream().sorted().toList().get(1);
      pieces(bench).remove(second);
      state = bench.snapshot();
    }
    try (Bench bench = restored(fake, EACH_CHECKPOINT, state)) {
      seconds(bench, 1, a);
      bench.settle();
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getMarks)
          .containsExactly(tuple(4L, List.of(Mark.REBUILT)));
    }
  }

  /** Header, rows, and the header again. */
  private static void damage(Bench bench, String stream, int index) throws Exception {
    Map<Long, byte[]> all = piecesOf(bench, stream);
    assertThat(all).hasSize(3);
    long key = all.keySet().stream().sorted().toList().get(index);
    byte[] piece = requireNonNull(all.get(key)).clone();
    piece[piece.length / 2] ^= 1;
    pieces(bench).put(key, piece);
  }

  @Test
  void isAsItWasWhenOneOfTheTwoHeadersIsDamaged() throws Exception {
    OperatorSubtaskState whole = stateOfFourSeconds();
    OperatorSubtaskState damaged;
    try (Bench bench = restored(fake, NEVER, whole)) {
      damage(bench, "a", 0);
      damaged = bench.snapshot();
    }
    Camera again = cameraAfter(4);
    assertThat(nextSeconds(damaged, again, 2)).isEqualTo(nextSeconds(whole, cameraAfter(4), 2));
  }

  private List<TextEvent> nextSeconds(OperatorSubtaskState state, Camera camera, int count)
      throws Exception {
    try (Bench bench = restored(fake, NEVER, state)) {
      seconds(bench, count, camera);
      bench.settle();
      return bench.events();
    }
  }

  private static Camera cameraAfter(int seconds) {
    Camera camera = new Camera("a");
    for (int i = 0; i < 2 * seconds; i++) {
      camera.frame();
    }
    return camera;
  }

  /** With rounds in the log, before and after the rebuild; stopped after each second. */
  @Test
  void aRebuiltStreamIsRestoredToTheSameBytesHoweverOften() throws Exception {
    OperatorSubtaskState damaged = damagedAfterThreeLoggedSeconds();
    List<TextEvent> whole = nextSeconds(damaged, cameraAfter(7), 4);
    List<TextEvent> pieces = new ArrayList<>();
    OperatorSubtaskState state = damaged;
    Camera camera = cameraAfter(7);
    for (int i = 0; i < 4; i++) {
      try (Bench bench = restored(fake, NEVER, state)) {
        seconds(bench, 1, camera);
        bench.settle();
        pieces.addAll(bench.events());
        state = bench.snapshot();
      }
    }

    assertThat(pieces).isEqualTo(whole);
    assertThat(whole)
        .extracting(TextEvent::getRound, TextEvent::getMarks)
        .containsExactly(
            tuple(7L, List.of(Mark.REBUILT)),
            tuple(8L, List.of()),
            tuple(9L, List.of()),
            tuple(10L, List.of()));
  }

  private OperatorSubtaskState damagedAfterThreeLoggedSeconds() throws Exception {
    try (Bench bench = restored(fake, NEVER, stateOfFourSeconds())) {
      bench.snapshotsFail.set(true); // the log would be as large as this small memory
      seconds(bench, 3, a);
      bench.settle();
      assertThat(logOf(bench, "a")).hasSize(3);
      damage(bench, "a", 1);
      return bench.snapshot();
    }
  }

  /** What was said of the chunks of the log is remembered as it was said. */
  @Test
  void rebuildsFromTheAnswersOfTheLogAsTheyWere() throws Exception {
    OperatorSubtaskState damaged = damagedAfterThreeLoggedSeconds();
    try (Bench bench = restored(fake, NEVER, damaged)) {
      seconds(bench, 1, a);
      bench.settle();

      assertThat(bench.submitted).extracting(RoundInput::chunk).containsExactly(4L, 5L, 6L, 7L);
      assertThat(bench.submitted.subList(0, 3))
          .extracting(RoundInput::said)
          .doesNotContainNull()
          .isEqualTo(logOf(bench, "a").values().stream().limit(3).map(LoggedRound::said).toList());
      assertThat(bench.submitted.get(3).said()).isNull();
    }
  }

  @Test
  void takesNoNoticeOfASnapshotThatWasNeverFinished() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), NEVER)) {
      seconds(bench, 4, a);
      bench.settle();
      bench.operator().setCurrentKey(StreamKey.of("a"));
      pieces(bench).put(2L << 20, new byte[] {1, 2, 3}); // snapshot 1 is the beginning
      pieces(bench).put(2L << 20 | 1, new byte[] {4});
      state = bench.snapshot();
    }
    try (Bench bench = restored(fake, NEVER, state)) {
      seconds(bench, 1, a);
      bench.settle();
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getMarks)
          .containsExactly(tuple(4L, 4L, List.of()));
      assertThat(piecesOf(bench, "a")).containsOnlyKeys(1L << 20, 1L << 20 | 1);
    }
  }

  @Test
  void keepsAStreamsSettingsWhenTheJobsHaveChanged() throws Exception {
    keepsSettings(NEVER); // no memory but the beginning, and a log
    keepsSettings(EACH_CHECKPOINT);
  }

  private void keepsSettings(UnderstandSettings settings) throws Exception {
    Camera camera = new Camera("a");
    OperatorSubtaskState state;
    List<TextEvent> expected;
    try (Bench bench = new Bench(fake.engine(), settings)) {
      seconds(bench, 3, camera);
      bench.settle();
      bench.snapshot();
      if (settings.equals(EACH_CHECKPOINT)) {
        bench.awaitSnapshots(1);
      }
      state = bench.snapshot();
      seconds(bench, 2, camera);
      bench.settle();
      expected = bench.events().subList(3, 5);
    }
    Camera again = new Camera("a");
    for (int i = 0; i < 6; i++) {
      again.frame();
    }
    try (FakeEngines edited = FakeEngines.instructed("watch something else");
        Bench bench = restored(edited, settings, state)) {
      seconds(bench, 2, again);
      seconds(bench, 1, new Camera("new", 1));
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
        Bench bench = restored(other, EACH_CHECKPOINT, state)) {
      seconds(bench, 2, a);
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
      try (Bench bench = restored(other, EACH_CHECKPOINT, state)) {
        bench.offer(a.frame()); // half a chunk: no event yet
        second = bench.snapshot();
        assertThat(bench.events()).isEmpty();
      }
      try (Bench bench = restored(other, EACH_CHECKPOINT, second)) {
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
    try (Bench bench = new Bench(fake.engine(), NEVER)) {
      seconds(bench, 2, a);
      bench.settle();
      LoggedRound round = requireNonNull(logOf(bench, "a").get(1L));
      log(bench)
          .put(
              1L,
              new LoggedRound(
                  round.chunk(),
                  round.dropVision(),
                  round.frames(),
                  Map.of(),
                  round.outcome() + 1,
                  round.said()));
      state = bench.snapshot();
    }
    UnderstandSettings impatient = settings(0, 0);
    OperatorSubtaskState second;
    try (Bench bench = restored(fake, impatient, state)) {
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
    try (Bench bench = restored(fake, impatient, second)) {
      bench.offer(a.frame());
      bench.settle();
      assertThat(bench.submitted).hasSize(1);
      assertThat(bench.events())
          .extracting(TextEvent::getMarks)
          .containsExactly(List.of(Mark.REBUILT));
    }
  }

  @Test
  void rebuildsWithAnotherModel() throws Exception {
    OperatorSubtaskState state = stateOfFourSeconds();
    try (FakeEngines other = FakeEngines.start("d", "b");
        Bench bench = restored(other, EACH_CHECKPOINT, state)) {
      seconds(bench, 2, a);
      bench.settle();
      assertThat(bench.events())
          .extracting(TextEvent::getMarks, TextEvent::getModelDigest)
          .containsExactly(
              tuple(List.of(Mark.REBUILT), "d".repeat(16)), tuple(List.of(), "d".repeat(16)));
    }
  }

  @Test
  void rebuildsAFewStreamsAtATimeWithAnotherModel() throws Exception {
    List<Camera> cameras = tenCameras();
    OperatorSubtaskState state = fiveSecondsOf(cameras);
    try (FakeEngines other = FakeEngines.start("d", "b");
        Bench bench = restored(other, NEVER, state)) {
      other.hold();
      seconds(bench, 1, cameras.toArray(Camera[]::new));
      assertThat(bench.submitted).as("one round each").hasSize(Rebuilds.AT_ONCE);
      other.letAllGo();
      bench.settle();

      assertThat(bench.events())
          .hasSize(10)
          .allSatisfy(event -> assertThat(event.getMarks()).containsExactly(Mark.REBUILT))
          .allSatisfy(event -> assertThat(event.getRound()).isEqualTo(5));
      assertThat(bench.events().subList(0, Rebuilds.AT_ONCE))
          .as("those whose frames came first speak first")
          .extracting(TextEvent::getStreamId)
          .containsExactlyInAnyOrder("camera-0", "camera-1", "camera-2", "camera-3");
    }
  }

  /** Whoever notices at once that it was the wrong model loses nothing but what was begun. */
  @Test
  void aStreamThatWaitsToBeRebuiltGoesBackToItsModelUnharmed() throws Exception {
    List<Camera> cameras = tenCameras();
    OperatorSubtaskState state = fiveSecondsOf(cameras);
    UnderstandSettings impatient = settings(0, 3_600_000);
    OperatorSubtaskState second;
    try (FakeEngines other = FakeEngines.start("d", "b");
        Bench bench = restored(other, impatient, state)) {
      other.hold();
      seconds(bench, 1, cameras.toArray(Camera[]::new));
      second = bench.snapshot();
      other.letAllGo();
    }
    try (Bench bench = restored(fake, impatient, second)) {
      bench.settle();
      assertThat(bench.events()).hasSize(10);
      assertThat(bench.events())
          .filteredOn(event -> event.getMarks().isEmpty())
          .extracting(TextEvent::getStreamId)
          .containsExactlyInAnyOrder(
              "camera-4", "camera-5", "camera-6", "camera-7", "camera-8", "camera-9");
    }
  }

  private static List<Camera> tenCameras() {
    List<Camera> cameras = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      cameras.add(new Camera("camera-" + i, i));
    }
    return cameras;
  }

  /** With a log of two seconds. */
  private OperatorSubtaskState fiveSecondsOf(List<Camera> cameras) throws Exception {
    Camera[] all = cameras.toArray(Camera[]::new);
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      seconds(bench, 3, all);
      bench.settle();
      bench.snapshot();
      bench.awaitSnapshots(all.length);
      seconds(bench, 2, all);
      bench.settle();
      return bench.snapshot();
    }
  }

  private OperatorSubtaskState stateOfFourSeconds() throws Exception {
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      seconds(bench, 4, a);
      bench.settle();
      bench.snapshot();
      bench.awaitSnapshots(1);
      return bench.snapshot();
    }
  }

  private static Bench restored(
      FakeEngines engines, UnderstandSettings settings, OperatorSubtaskState state)
      throws Exception {
    return new Bench(engines.engine(), settings, 1, 0, state, null);
  }

  private static void seconds(Bench bench, int count, Camera... cameras) throws Exception {
    for (int i = 0; i < 2 * count; i++) {
      for (Camera camera : cameras) {
        bench.offer(camera.frame());
      }
    }
  }

  private static Map<Long, byte[]> piecesOf(Bench bench, String stream) throws Exception {
    bench.operator().setCurrentKey(StreamKey.of(stream));
    return copy(pieces(bench));
  }

  private static Map<Long, LoggedRound> logOf(Bench bench, String stream) throws Exception {
    bench.operator().setCurrentKey(StreamKey.of(stream));
    return copy(log(bench));
  }

  private static MapState<Long, LoggedRound> log(Bench bench) {
    return bench
        .operator()
        .getRuntimeContext()
        .getMapState(
            new MapStateDescriptor<>(
                StreamStore.LOG, LongSerializer.INSTANCE, new LoggedRound.Serializer()));
  }

  private static MapState<Long, byte[]> pieces(Bench bench) {
    return bench
        .operator()
        .getRuntimeContext()
        .getMapState(
            new MapStateDescriptor<>(
                StreamStore.PIECES,
                LongSerializer.INSTANCE,
                BytePrimitiveArraySerializer.INSTANCE));
  }

  private static <V> Map<Long, V> copy(MapState<Long, V> state) throws Exception {
    Map<Long, V> map = new HashMap<>();
    state.entries().forEach(entry -> map.put(entry.getKey(), entry.getValue()));
    return map;
  }
}
