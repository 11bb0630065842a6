// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.TextEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A stream whose memory is damaged, or was made by another model, is built up again. */
@Timeout(60)
class RebuildRestoreTest {
  private static final UnderstandSettings EACH_CHECKPOINT =
      Bench.settings(Duration.ofSeconds(10), Duration.ZERO);

  private final FakeEngines fake = FakeEngines.start();
  private final Camera a = new Camera("a", 0);

  @AfterEach
  void closeEngine() {
    fake.close();
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
      bench.offerSeconds(4, one, two);
      bench.settle();
      bench.snapshot();
      bench.awaitSnapshots(2);
      bench.offerSeconds(1, one, two);
      bench.settle();
      if (damage) {
        damage(bench, "a", 1);
      }
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT, state)) {
      bench.offerSeconds(2, one, two);
      bench.settle();
      return bench.events();
    }
  }

  @Test
  void rebuildsAStreamWithAMissingPiece() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      bench.offerSeconds(4, a);
      bench.settle();
      bench.snapshot();
      bench.awaitSnapshots(1);
      long second = bench.stateOf("a").pieces().keySet().stream().sorted().toList().get(1);
      bench.stateOf("a").storedPieces().remove(second);
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT, state)) {
      bench.offerSeconds(1, a);
      bench.settle();
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getMarks)
          .containsExactly(tuple(4L, List.of(Mark.REBUILT)));
    }
  }

  /** Header, rows, and the header again. */
  private static void damage(Bench bench, String stream, int index) throws Exception {
    Map<Long, byte[]> all = bench.stateOf(stream).pieces();
    assertThat(all).hasSize(3);
    long key = all.keySet().stream().sorted().toList().get(index);
    byte[] piece = requireNonNull(all.get(key)).clone();
    piece[piece.length / 2] ^= 1;
    bench.stateOf(stream).storedPieces().put(key, piece);
  }

  @Test
  void isAsItWasWhenOneOfTheTwoHeadersIsDamaged() throws Exception {
    OperatorSubtaskState whole = stateOfFourSeconds();
    OperatorSubtaskState damaged;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, whole)) {
      damage(bench, "a", 0);
      damaged = bench.snapshot();
    }
    Camera again = cameraAfter(4);
    assertThat(nextSeconds(damaged, again, 2)).isEqualTo(nextSeconds(whole, cameraAfter(4), 2));
  }

  private List<TextEvent> nextSeconds(OperatorSubtaskState state, Camera camera, int count)
      throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      bench.offerSeconds(count, camera);
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
      try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
        bench.offerSeconds(1, camera);
        bench.settle();
        pieces.addAll(bench.events());
        state = bench.snapshot();
      }
    }

    assertThat(pieces).isEqualTo(whole);
    long before = computedRowsOfRound(6); // what round 7 says hangs on the memory
    assertThat(whole)
        .extracting(event -> requireNonNull(event.getMemory()).getComputedRows())
        .as("all rows since the stream began, though few are held after a rebuild")
        .isSorted()
        .first(InstanceOfAssertFactories.LONG)
        .isBetween(before + 1, before + 40);
    assertThat(whole)
        .extracting(TextEvent::getRound, TextEvent::getMarks)
        .containsExactly(
            tuple(7L, List.of(Mark.REBUILT)),
            tuple(8L, List.of()),
            tuple(9L, List.of()),
            tuple(10L, List.of()));
  }

  /** Of a stream that was never damaged: no row less has come in. */
  private long computedRowsOfRound(int round) throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(round + 1, new Camera("a"));
      bench.settle();
      return requireNonNull(bench.events().get(round).getMemory()).getComputedRows();
    }
  }

  private OperatorSubtaskState damagedAfterThreeLoggedSeconds() throws Exception {
    return damagedAfterLoggedSeconds(3);
  }

  private OperatorSubtaskState damagedAfterLoggedSeconds(int seconds) throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, stateOfFourSeconds())) {
      bench.snapshotsFail.set(true); // the log would be as large as this small memory
      bench.offerSeconds(seconds, a);
      bench.settle();
      assertThat(bench.stateOf("a").log()).hasSize(seconds);
      damage(bench, "a", 1);
      return bench.snapshot();
    }
  }

  /** What was said of the chunks of the log is remembered as it was said. */
  @Test
  void rebuildsFromTheAnswersOfTheLogAsTheyWere() throws Exception {
    OperatorSubtaskState damaged = damagedAfterThreeLoggedSeconds();
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, damaged)) {
      bench.offerSeconds(1, a);
      bench.settle();

      assertThat(bench.submitted).extracting(RoundInput::chunk).containsExactly(6L, 7L);
      RoundInput last = bench.submitted.get(0);
      assertThat(last.earlier()).extracting(RoundInput::chunk).containsExactly(4L, 5L);
      assertThat(Stream.concat(last.earlier().stream(), Stream.of(last)).map(RoundInput::said))
          .doesNotContainNull()
          .containsExactlyElementsOf(
              bench.stateOf("a").log().values().stream().limit(3).map(LoggedRound::said).toList());
      assertThat(bench.submitted.get(1).said()).isNull();
    }
  }

  /** The memory keeps the pictures of three rounds: older ones are neither loaded nor decoded. */
  @Test
  void showsARebuiltStreamThePicturesOfTheLogThatItsMemoryKeeps() throws Exception {
    OperatorSubtaskState damaged = damagedAfterLoggedSeconds(6);
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, damaged)) {
      bench.offerSeconds(1, a);
      bench.settle();

      RoundInput last = bench.submitted.get(0);
      assertThat(last.earlier())
          .extracting(RoundInput::chunk, one -> one.frames().size())
          .containsExactly(tuple(4L, 0), tuple(5L, 0), tuple(6L, 0), tuple(7L, 2), tuple(8L, 2));
      assertThat(last.frames()).hasSize(2);
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getMarks)
          .containsExactly(tuple(10L, 10L, List.of(Mark.REBUILT)));
    }
  }

  @Test
  void takesTheLogUpRoundByRoundWhenTheDeviceRefusesItAtOnce() throws Exception {
    OperatorSubtaskState damaged = damagedAfterThreeLoggedSeconds();
    fake.refuseNextPrefills(2); // with others, and alone
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, damaged)) {
      bench.offerSeconds(1, a);
      bench.settle();

      assertThat(bench.submitted)
          .extracting(RoundInput::chunk, one -> one.earlier().size())
          .containsExactly(tuple(6L, 2), tuple(4L, 0), tuple(5L, 0), tuple(6L, 0), tuple(7L, 0));
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getMarks)
          .containsExactly(tuple(7L, 7L, List.of(Mark.REBUILT)));
    }
  }

  @Test
  void takesNoNoticeOfASnapshotThatWasNeverFinished() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(4, a);
      bench.settle();
      var pieces = bench.stateOf("a").storedPieces();
      pieces.put(2L << 20, new byte[] {1, 2, 3}); // snapshot 1 is the beginning
      pieces.put(2L << 20 | 1, new byte[] {4});
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      bench.offerSeconds(1, a);
      bench.settle();
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getMarks)
          .containsExactly(tuple(4L, 4L, List.of()));
      assertThat(bench.stateOf("a").pieces()).containsOnlyKeys(1L << 20, 1L << 20 | 1);
    }
  }

  @Test
  void rebuildsWithAnotherModel() throws Exception {
    OperatorSubtaskState state = stateOfFourSeconds();
    try (FakeEngines other = FakeEngines.start("d", "b");
        Bench bench = new Bench(other.engine(), EACH_CHECKPOINT, state)) {
      bench.offerSeconds(2, a);
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
        Bench bench = new Bench(other.engine(), Bench.PATIENT, state)) {
      other.hold();
      bench.offerSeconds(1, cameras.toArray(Camera[]::new));
      assertThat(bench.submittedStreams)
          .as("one round each of those whose frames came first")
          .containsExactlyInAnyOrder("camera-0", "camera-1", "camera-2", "camera-3")
          .hasSize(Rebuilds.AT_ONCE);
      other.letAllGo();
      bench.settle();

      assertThat(bench.events())
          .hasSize(10)
          .allSatisfy(event -> assertThat(event.getMarks()).containsExactly(Mark.REBUILT))
          .allSatisfy(event -> assertThat(event.getRound()).isEqualTo(5));
    }
  }

  /** Whoever notices at once that it was the wrong model loses nothing but what was begun. */
  @Test
  void aStreamThatWaitsToBeRebuiltGoesBackToItsModelUnharmed() throws Exception {
    List<Camera> cameras = tenCameras();
    OperatorSubtaskState state = fiveSecondsOf(cameras);
    OperatorSubtaskState second;
    try (FakeEngines other = FakeEngines.start("d", "b");
        Bench bench = new Bench(other.engine(), Bench.IMPATIENT, state)) {
      other.hold();
      bench.offerSeconds(1, cameras.toArray(Camera[]::new));
      second = bench.snapshot();
      other.letAllGo();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT, second)) {
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
      bench.offerSeconds(3, all);
      bench.settle();
      bench.snapshot();
      bench.awaitSnapshots(all.length);
      bench.offerSeconds(2, all);
      bench.settle();
      return bench.snapshot();
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
