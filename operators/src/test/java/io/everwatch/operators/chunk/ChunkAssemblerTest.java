// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Assembled.DeadFrame;
import io.everwatch.operators.chunk.Assembled.Gap;
import io.everwatch.operators.chunk.Assembled.Reason;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of architecture §3a, one by one. Times in milliseconds, two frames a second. */
class ChunkAssemblerTest {
  private static final long HOUR = 3_600_000;
  private static final long YEAR_2038 = 2_145_916_800_000L;

  /** 1-s chunks of 2 frames; 2 s late at most, vision lost after 4 s, clock jumps from 10 s on. */
  private static final ChunkSettings SETTINGS =
      new ChunkSettings(1_000_000, 2, 2_000_000, 4_000_000, 10_000_000);

  private final ChunkAssembler<String> assembler = ChunkAssembler.start(SETTINGS);

  @Test
  void closesAChunkWithItsLastGridPointWhenNothingIsMissing() {
    assertThat(offer(0, 0)).isEmpty();
    assertThat(told(offer(1, 500)))
        .containsExactly("chunk 0 at 0: 0 1 (2 used, 0 surplus, 0 duplicate, 0 missing)");
    assertThat(offer(2, 1000)).isEmpty();
    assertThat(told(offer(3, 1500)))
        .containsExactly("chunk 1 at 1000: 2 3 (2 used, 0 surplus, 0 duplicate, 0 missing)");
  }

  @ParameterizedTest
  @CsvSource({"24, 12", "30, 15", "50, 25", "60, 30", "2, 1", "8, 4"})
  void takesTheFramesExactlyOnTheGrid(int fps, String second) {
    assertThat(firstChunk(fps)).containsExactly("0", second);
  }

  @ParameterizedTest
  @CsvSource({"25, 12", "29.97, 15", "6.5, 3", "5, 2", "10, 5", "15, 7"})
  void takesTheNearestFrameOffTheGridTheEarlierOfTwo(double fps, String second) {
    assertThat(firstChunk(fps)).containsExactly("0", second);
  }

  @Test
  void countsFramesBetweenGridPointsAsSurplusOfTheNextChunkToClose() {
    List<Assembled<String>> events = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      events.addAll(offer(i, i * 100L));
    }

    assertThat(chunks(events)).extracting(c -> c.counts().surplus()).containsExactly(4, 8, 8);
    assertThat(assembler.unreported()).isEqualTo(counts(4, 0, 4, 0, 0));
    assertThat(assembler.pending()).isEqualTo(4);
  }

  @Test
  void repeatsTheFrameBeforeAnEmptyGridPoint() {
    offer(0, 0);
    assertThat(offer(1, 1500)).isEmpty();
    assertThat(told(offer(2, 3000)))
        .containsExactly("chunk 0 at 0: 0 0 (1 used, 0 surplus, 0 duplicate, 1 missing)");
  }

  @Test
  void repeatsTheNextFrameAtAnEmptyFirstGridPoint() {
    offer(0, 0);
    offer(1, 500);
    offer(2, 1500);
    assertThat(told(offer(3, 4100)))
        .containsExactly("chunk 1 at 1000: 2 2 (1 used, 0 surplus, 0 duplicate, 1 missing)");
  }

  @Test
  void waitsForAMissingSequenceUntilItComes() {
    offer(0, 0);
    assertThat(offer(2, 500)).isEmpty();
    assertThat(offer(3, 1000)).isEmpty();
    assertThat(told(offer(1, 250)))
        .containsExactly("chunk 0 at 0: 0 2 (2 used, 1 surplus, 0 duplicate, 0 missing)");
  }

  @Test
  void givesAMissingSequenceUpWhenTheClockPassesTheLateness() {
    offer(0, 0);
    offer(2, 500);
    for (int i = 3; i < 7; i++) {
      assertThat(offer(i, (i - 1) * 500L)).isEmpty();
    }
    assertThat(told(offer(7, 3000)))
        .containsExactly(
            "chunk 0 at 0: 0 2 (2 used, 0 surplus, 0 duplicate, 0 missing)",
            "chunk 1 at 1000: 3 4 (2 used, 0 surplus, 0 duplicate, 0 missing)",
            "chunk 2 at 2000: 5 6 (2 used, 0 surplus, 0 duplicate, 0 missing)");
    assertThat(offer(8, 3500)).hasSize(1);
  }

  @Test
  void sendsAFrameOfAnIncompleteClosedChunkToTheDeadLetters() {
    offer(0, 0);
    offer(2, 1000);
    offer(3, 1500);
    assertThat(chunks(offer(4, 3000))).extracting(Chunk::index).containsExactly(0L);

    List<Assembled<String>> events = offer(1, 500);

    assertThat(chunks(events)).extracting(Chunk::index).containsExactly(1L);
    assertThat(dead(events)).extracting(DeadFrame::reason).containsExactly(Reason.LATE);
    assertThat(dead(events).get(0).detail()).contains("frame 1", "chunk 0", "2000000 us");
  }

  @Test
  void countsALateFrameOfACompleteChunkAsSurplus() {
    offer(0, 0);
    offer(2, 500);
    offer(3, 1000);
    offer(4, 1500);
    assertThat(chunks(offer(5, 3100))).hasSize(2);

    assertThat(offer(1, 250)).isEmpty();
    assertThat(assembler.unreported()).isEqualTo(counts(1, 0, 1, 0, 0));
  }

  @Test
  void takesAFrameThatWasGivenUpWhenItsChunkIsStillOpen() {
    offer(0, 0);
    offer(2, 900); // point 0 of chunk 1; with it, 1 is given up when chunk 0 is due
    assertThat(chunks(offer(3, 3000))).extracting(Chunk::index).containsExactly(0L);

    assertThat(told(offer(1, 1500)))
        .containsExactly("chunk 1 at 1000: 2 1 (2 used, 0 surplus, 0 duplicate, 0 missing)");
  }

  @Test
  void prefersTheLowerSequenceWhenAFrameThatWasGivenUpFindsItsPointTaken() {
    offer(0, 0);
    offer(2, 900);
    offer(3, 3000);
    assertThat(offer(1, 1100)).isEmpty();
    assertThat(told(offer(4, 4000)))
        .containsExactly("chunk 1 at 1000: 1 1 (1 used, 1 surplus, 0 duplicate, 1 missing)");
  }

  @Test
  void knowsWhichOfTheSequencesThatWereGivenUpCameAfterAll() {
    offer(0, 0);
    offer(6, 900);
    offer(7, 3100);
    for (int sequence : new int[] {3, 1, 5}) {
      assertThat(dead(offer(sequence, sequence * 100L))).hasSize(1);
      assertThat(offer(sequence, sequence * 100L)).isEmpty();
    }
    assertThat(assembler.unreported()).isEqualTo(counts(3, 0, 0, 3, 0));
  }

  @Test
  void countsDuplicates() {
    offer(0, 0);
    assertThat(offer(0, 0)).isEmpty();
    assertThat(told(offer(1, 500)))
        .containsExactly("chunk 0 at 0: 0 1 (2 used, 0 surplus, 1 duplicate, 0 missing)");
    assertThat(offer(1, 500)).isEmpty();
    assertThat(assembler.pending()).isOne();
  }

  @Test
  void tellsARunOfMissingChunksInOneGap() {
    offer(0, 0);
    offer(1, 500);
    assertThat(offer(2, 5000)).isEmpty();
    assertThat(told(offer(3, 5500)))
        .containsExactly(
            "gap 1-4 from 1000 to 5000 (8 missing)",
            "chunk 5 at 5000: 2 3 (2 used, 0 surplus, 0 duplicate, 0 missing)");
  }

  @Test
  void dropsVisionAfterAGapLongerThanTheLimit() {
    offer(0, 0);
    offer(1, 500);
    offer(2, 6000);
    assertThat(chunks(offer(3, 6500))).extracting(Chunk::dropVision).containsExactly(true);
    offer(4, 7000);
    assertThat(chunks(offer(5, 7500))).extracting(Chunk::dropVision).containsExactly(false);
  }

  @Test
  void coversCenturiesInOneGapWhenTheLimitAllowsIt() {
    ChunkSettings patient =
        new ChunkSettings(1_000_000, 2, 2_000_000, 4_000_000, 100L * 365 * 24 * 3_600_000_000L);
    ChunkAssembler<String> assembler = ChunkAssembler.start(patient);
    assembler.offer(frame(0, 0));
    assembler.offer(frame(1, 500));

    List<Assembled<String>> events = new ArrayList<>(assembler.offer(frame(2, YEAR_2038)));
    events.addAll(assembler.offer(frame(3, YEAR_2038 + 500)));

    assertThat(events)
        .containsExactly(
            gap(1, 2_145_916_799L, 1000, YEAR_2038, Integer.MAX_VALUE),
            new Chunk<>(
                2_145_916_800L,
                YEAR_2038 * 1000,
                (YEAR_2038 + 1000) * 1000,
                List.of(frame(2, YEAR_2038), frame(3, YEAR_2038 + 500)),
                2,
                3,
                counts(2, 2, 0, 0, 0),
                false,
                true));
  }

  @Test
  void sendsALoneClockJumpToTheDeadLetters() {
    offer(0, 0);
    offer(1, 500);
    assertThat(offer(2, HOUR)).isEmpty();

    List<Assembled<String>> events = offer(3, 1500);

    assertThat(dead(events)).extracting(d -> d.frame().sequence()).containsExactly(2L);
    assertThat(dead(events)).extracting(DeadFrame::reason).containsExactly(Reason.CLOCK_JUMP);
    assertThat(offer(4, 2000)).isEmpty();
    assertThat(chunks(offer(5, 4000))).extracting(Chunk::index).containsExactly(1L);
  }

  @Test
  void doesNotWaitForAFrameThatItSentToTheDeadLetters() {
    offer(0, 0);
    offer(1, HOUR);

    List<Assembled<String>> events = offer(2, 500);

    assertThat(dead(events)).extracting(DeadFrame::reason).containsExactly(Reason.CLOCK_JUMP);
    assertThat(chunks(events)).extracting(Chunk::index).containsExactly(0L);
  }

  @Test
  void takesTwoJumpsOfFallingSequenceForTwoFaults() {
    offer(10, 0);
    offer(11, 500);
    offer(20, HOUR);

    assertThat(dead(offer(15, HOUR + 500)))
        .extracting(d -> d.frame().sequence())
        .containsExactly(20L);
    assertThat(dead(offer(12, 1000))).extracting(d -> d.frame().sequence()).containsExactly(15L);
  }

  @Test
  void countsALoneCopyFromLongAgoAsDuplicate() {
    for (int i = 0; i < 40; i++) {
      offer(i, i * 500L);
    }
    assertThat(offer(2, 1000)).isEmpty();
    assertThat(offer(40, 20_000)).isEmpty();
    assertThat(assembler.unreported()).isEqualTo(counts(1, 0, 0, 1, 0));
  }

  @Test
  void sendsAStragglerFromBeforeAClockResetToTheDeadLetters() {
    offer(0, 0);
    offer(1, 500);
    offer(3, 12_000);
    assertThat(chunks(offer(4, 12_500))).extracting(Chunk::index).containsExactly(1L);

    List<Assembled<String>> events = offer(2, 11_400); // chunk 0 by the new grid, but not that one

    assertThat(dead(events)).extracting(DeadFrame::reason).containsExactly(Reason.LATE);
  }

  @ParameterizedTest
  @ValueSource(longs = {HOUR, YEAR_2038, 2 * HOUR + 12_345, 110_000})
  void anchorsTheGridAnewWhenTheNextFrameConfirmsAClockJump(long time) {
    long start = time == 110_000 ? 2 * HOUR : 50_000; // one of them jumps back
    offer(0, start);
    offer(1, start + 500);
    offer(2, start + 1000);
    assertThat(offer(3, time)).isEmpty();

    List<Assembled<String>> events = offer(4, time + 500);

    assertThat(chunks(events)).extracting(Chunk::index).containsExactly(1L, 2L);
    Chunk<String> first = chunks(events).get(1);
    assertThat(first.startMicros()).isEqualTo(time * 1000);
    assertThat(first.frames()).extracting(Frame::payload).containsExactly("3", "4");
    assertThat(first.clockReset()).isTrue();
    assertThat(first.dropVision()).isEqualTo(time > start);
    offer(5, time + 1000);
    assertThat(chunks(offer(6, time + 1500)))
        .extracting(Chunk::index, Chunk::clockReset)
        .containsExactly(tuple(3L, false));
  }

  @ParameterizedTest
  @ValueSource(longs = {12_000, HOUR, 40 * 24 * HOUR})
  void tellsAnOutageInOneGapHoweverLongAndKeepsTheClock(long away) {
    offer(0, 0, 100);
    offer(1, 500, 600);
    List<Assembled<String>> events = new ArrayList<>(offer(2, 1000 + away, 1100 + away));
    events.addAll(offer(3, 1500 + away, 1600 + away));

    assertThat(told(events))
        .containsExactly(
            "gap 1-%d from 1000 to %d (%d missing)"
                .formatted(away / 1000, 1000 + away, 2 * away / 1000),
            "chunk %d at %d: 2 3 (2 used, 0 surplus, 0 duplicate, 0 missing)"
                .formatted(1 + away / 1000, 1000 + away));
    assertThat(chunks(events)).extracting(Chunk::clockReset).containsExactly(false);
    assertThat(chunks(events)).extracting(Chunk::dropVision).containsExactly(true);
  }

  @Test
  void keepsTheClockWhenFramesHadWaitedForAnOutageOfTheNetwork() {
    offer(0, 0, 100);
    offer(1, 500, 600);
    List<Assembled<String>> events = new ArrayList<>();
    for (int i = 2; i < 6; i++) {
      events.addAll(offer(i, i * 500L, HOUR + i));
    }

    assertThat(chunks(events)).extracting(Chunk::index).containsExactly(1L, 2L);
    assertThat(dead(events)).isEmpty();
  }

  @Test
  void tellsAnOutageOfWhichOnlyTheLastFramesWereKept() {
    offer(0, 0, 100);
    offer(1, 500, 600);
    List<Assembled<String>> events = new ArrayList<>();
    for (int i = 90; i < 97; i++) { // those before are awaited for the allowed lateness
      events.addAll(offer(i, i * 500L, HOUR + i));
    }

    assertThat(told(events)).startsWith("gap 1-44 from 1000 to 45000 (88 missing)").hasSize(4);
    assertThat(chunks(events)).extracting(Chunk::clockReset).containsOnly(false);
  }

  @Test
  void tellsAnOutageInWhichTheCameraCountedAnew() {
    offer(1000, 0, 100);
    offer(1001, 500, 600);
    assertThat(offer(0, HOUR, HOUR + 100)).isEmpty();
    List<Assembled<String>> events = offer(1, HOUR + 500, HOUR + 600);

    assertThat(told(events)).hasSize(2);
    assertThat(told(events).get(0)).startsWith("gap 1-3599 ");
    assertThat(chunks(events)).extracting(Chunk::clockReset).containsExactly(false);
  }

  @Test
  void anchorsTheGridAnewAfterAnOutageInWhichTheCameraLostItsClock() {
    offer(1000, HOUR, HOUR);
    offer(1001, HOUR + 500, HOUR + 500);
    assertThat(offer(0, 100, 2 * HOUR)).isEmpty();
    assertThat(dead(offer(1, 30_100, 2 * HOUR + 30_000))).isEmpty(); // away again, clock as before
    List<Assembled<String>> events = offer(2, 30_600, 2 * HOUR + 30_500);

    assertThat(chunks(offer(3, 31_600, 2 * HOUR + 31_500))).isEmpty();
    assertThat(dead(events)).isEmpty();
    assertThat(assembler.state().progress().anchorMicros()).isEqualTo(100_000);
    assertThat(assembler.beganMicros()).as("the same life").isEqualTo(HOUR * 1000);
    assertThat(assembler.state().progress().nextChunk()).isGreaterThan(25);
  }

  @Test
  void dropsVisionWhenTheClockWasSetBackDuringALongOutage() {
    offer(0, HOUR, 0);
    offer(1, HOUR + 500, 500);
    offer(2, 100, 6000);
    List<Assembled<String>> events = offer(3, 600, 6500);

    assertThat(chunks(events)).extracting(Chunk::clockReset).containsExactly(true);
    assertThat(chunks(events)).extracting(Chunk::dropVision).containsExactly(true);
  }

  @ParameterizedTest
  @CsvSource({"0, false", "2000, false", "30000, false", "3600000, true"})
  void takesACaptureTimeThatOutrunsTheArrivalsForAClockJump(long elapsed, boolean outage) {
    offer(0, 0, 100);
    offer(1, 500, 600);
    offer(2, HOUR, 600 + elapsed);
    List<Assembled<String>> events = offer(3, HOUR + 500, 1100 + elapsed);

    assertThat(chunks(events)).extracting(Chunk::clockReset).containsExactly(!outage);
  }

  @Test
  void doesNotAddUpTheDriftOfAClockThatRunsTooFast() {
    List<Assembled<String>> events = new ArrayList<>();
    for (int i = 0; i < 4000; i++) { // a fifth too fast: 400 s in the end
      events.addAll(offer(i, i * 600L, i * 500L));
    }
    assertThat(dead(events)).isEmpty();
    assertThat(chunks(events)).extracting(Chunk::clockReset).containsOnly(false);
  }

  @Test
  void takesArrivalsThatGoBackForNoTimeAtAll() {
    offer(0, 0, 2 * HOUR);
    offer(1, 500, 0);
    offer(2, 12_000, -1);
    List<Assembled<String>> events = offer(3, 12_500, 500);

    assertThat(chunks(events)).extracting(Chunk::clockReset).containsExactly(true);
  }

  @Test
  void takesARestartOfSequenceAndClockForARestartedCamera() {
    for (int i = 1000; i < 1005; i++) {
      offer(i, HOUR + (i - 1000) * 500L);
    }
    assertThat(offer(0, 100)).isEmpty();

    List<Assembled<String>> events = offer(1, 600);

    assertThat(chunks(events)).extracting(Chunk::index).containsExactly(2L, 3L);
    assertThat(chunks(events).get(1).clockReset()).isTrue();
    assertThat(chunks(events).get(1).firstSequence()).isZero();
  }

  @Test
  void takesARestartOfTheSequenceAloneForARestartedCameraOnTheSameGrid() {
    for (int i = 1000; i < 1005; i++) {
      offer(i, (i - 1000) * 500L);
    }
    assertThat(offer(0, 3000)).isEmpty();
    assertThat(offer(1, 3500)).isEmpty(); // chunk 2 is still waited for
    List<Assembled<String>> events = new ArrayList<>(offer(2, 4000));
    events.addAll(offer(3, 4500));
    events.addAll(offer(4, 5000));

    assertThat(chunks(events)).extracting(Chunk::index).containsExactly(2L, 3L, 4L);
    assertThat(chunks(events)).extracting(Chunk::clockReset).containsOnly(false);
    assertThat(dead(events)).isEmpty();
  }

  @Test
  void sendsALoneStepBackOfTheSequenceToTheDeadLetters() {
    offer(10, 0);
    offer(11, 500);
    assertThat(offer(3, 1000)).isEmpty();

    List<Assembled<String>> events = offer(12, 1000);

    assertThat(dead(events))
        .extracting(DeadFrame::reason)
        .containsExactly(Reason.SEQUENCE_BACKWARDS);
    assertThat(chunks(offer(13, 1500))).hasSize(1);
  }

  @Test
  void copiesOfTheHeldFrameDoNotVote() {
    offer(0, 0);
    offer(1, HOUR);
    assertThat(offer(1, HOUR)).isEmpty();
    assertThat(offer(0, 0)).isEmpty();

    assertThat(chunks(offer(2, HOUR + 500))).hasSize(2);
    assertThat(assembler.pending()).isZero();
  }

  @Test
  void recoversFromASequenceThatIsFarTooLarge() {
    offer(0, 0);
    offer(Long.MAX_VALUE, 500);
    for (int i = 1; i < 40; i++) {
      offer(i, i * 500 + 500);
    }

    assertThat(chunks(offer(40, 20_500))).hasSize(1);
    assertThat(assembler.pending()).isZero();
  }

  @Test
  void refusesTimesAndSequencesThatNoCameraCanMean() {
    assertThat(dead(offer(-1, 0))).hasSize(1);
    assertThat(dead(offer(1, -1))).hasSize(1);
    List<Assembled<String>> events = assembler.offer(new Frame<>(1, Long.MAX_VALUE, 0, "never"));
    assertThat(dead(events)).extracting(DeadFrame::reason).containsExactly(Reason.OUT_OF_RANGE);
    assertThat(assembler.pending()).isZero();
  }

  @Test
  void boundsWhatAHostileStreamMakesItKeep() {
    offer(0, 0);
    int dead = 0;
    for (int i = 0; i < 100_000; i++) { // every second number missing, and the clock stands still
      dead += dead(offer(2 + 2 * i, 1)).size();
      AssemblerState<String> state = assembler.state();
      assertThat(state.waiting()).hasSizeLessThanOrEqualTo(ChunkAssembler.MAX_WAITING);
      assertThat(state.sequences().abandoned())
          .hasSizeLessThanOrEqualTo(ChunkAssembler.MAX_ABANDONED);
    }
    assertThat(dead).isZero();
    assertThat(assembler.pending()).isEqualTo(100_001);
  }

  @Test
  void closesWhatIsOpenAtTheEnd() {
    offer(0, 0);
    offer(2, 700);
    offer(3, HOUR);

    List<Assembled<String>> events = assembler.finish();

    assertThat(dead(events)).extracting(DeadFrame::reason).containsExactly(Reason.CLOCK_JUMP);
    assertThat(told(chunks(events)))
        .containsExactly("chunk 0 at 0: 0 2 (2 used, 0 surplus, 0 duplicate, 0 missing)");
    assertThat(assembler.finish()).isEmpty();
    assertThat(assembler.pending()).isZero();
  }

  @Test
  void hasNothingToCloseBeforeTheFirstFrame() {
    assertThat(assembler.finish()).isEmpty();
    assertThat(ChunkAssembler.restore(SETTINGS, assembler.state()).state())
        .isEqualTo(assembler.state());
  }

  @Test
  void keepsItsOwnGridWhateverTheSettingsSayNow() {
    offer(0, 0);
    ChunkSettings other = new ChunkSettings(2_000_000, 4, 2_000_000, 4_000_000, 10_000_000);
    ChunkAssembler<String> restored = ChunkAssembler.restore(other, assembler.state());

    assertThat(told(restored.offer(frame(1, 500))))
        .containsExactly("chunk 0 at 0: 0 1 (2 used, 0 surplus, 0 duplicate, 0 missing)");
    assertThat(restored.chunkMicros()).isEqualTo(1_000_000);
    assertThat(restored.framesPerChunk()).isEqualTo(2);
  }

  @Test
  void changesItsFrameRateWithTheFirstChunkThatHasNoFrame() {
    offer(0, 0);
    assembler.changeRate(4);
    List<Assembled<String>> events = new ArrayList<>();
    for (int i = 1; i < 12; i++) {
      events.addAll(offer(i, i * 250L));
      assertThat(ChunkAssembler.restore(SETTINGS, assembler.state()).state())
          .isEqualTo(assembler.state());
    }

    assertThat(told(events))
        .containsExactly(
            "chunk 0 at 0: 0 2 (2 used, 1 surplus, 0 duplicate, 0 missing)",
            "chunk 1 at 1000: 4 5 6 7 (4 used, 1 surplus, 0 duplicate, 0 missing)",
            "chunk 2 at 2000: 8 9 10 11 (4 used, 0 surplus, 0 duplicate, 0 missing)");
    assertThat(assembler.state().rates()).as("older rates are forgotten").hasSize(1);
  }

  @Test
  void takesTheLastOfTwoChangesAndTellsAGapOfBothRates() {
    offer(0, 0);
    offer(1, 500);
    assembler.changeRate(8); // from chunk 1 on
    assembler.changeRate(3);
    offer(2, 1000);
    assembler.changeRate(1); // from chunk 2 on
    List<Assembled<String>> events = new ArrayList<>(offer(3, 5000));
    events.addAll(assembler.finish());

    assertThat(told(events))
        .containsExactly(
            "chunk 1 at 1000: 2 2 2 (1 used, 0 surplus, 0 duplicate, 2 missing)",
            "gap 2-4 from 2000 to 5000 (3 missing)",
            "chunk 5 at 5000: 3 (1 used, 0 surplus, 0 duplicate, 0 missing)");
  }

  @Test
  void givesUpWhatIsMissingWhenTooManyBytesWait() {
    ChunkAssembler<String> heavy =
        ChunkAssembler.start(SETTINGS, payload -> ChunkAssembler.MAX_WAITING_BYTES / 4);
    heavy.offer(frame(0, 0));
    for (int i = 2; i <= 5; i++) { // 1 is missing
      assertThat(heavy.offer(frame(i, i))).isEmpty();
      assertThat(heavy.state().waiting()).hasSize(i - 1);
    }
    heavy.offer(frame(6, 6));

    assertThat(heavy.state().waiting()).isEmpty();
    assertThat(heavy.pending()).as("none is lost").isEqualTo(6);
  }

  private static List<String> firstChunk(double fps) {
    ChunkAssembler<String> assembler = ChunkAssembler.start(SETTINGS);
    List<Assembled<String>> events = new ArrayList<>();
    for (int i = 0; events.isEmpty(); i++) {
      events.addAll(assembler.offer(new Frame<>(i, Math.round(i * 1e6 / fps), 0, "" + i)));
    }
    return chunks(events).get(0).frames().stream().map(Frame::payload).toList();
  }

  private List<Assembled<String>> offer(long sequence, long millis) {
    return assembler.offer(frame(sequence, millis));
  }

  private List<Assembled<String>> offer(long sequence, long millis, long arrivalMillis) {
    return assembler.offer(
        new Frame<>(sequence, millis * 1000, arrivalMillis * 1000, "" + sequence));
  }

  private static Frame<String> frame(long sequence, long millis) {
    return new Frame<>(sequence, millis * 1000, Frame.ARRIVAL_UNKNOWN, "" + sequence);
  }

  private static Counts counts(int received, int used, int surplus, int duplicate, int missing) {
    return new Counts(received, used, surplus, duplicate, missing);
  }

  /** Events in words, frames by their payload. */
  private static List<String> told(List<? extends Assembled<String>> events) {
    return events.stream()
        .map(event -> event.match(ChunkAssemblerTest::tell, ChunkAssemblerTest::tell, d -> "dead"))
        .toList();
  }

  private static String tell(Chunk<String> chunk) {
    Counts counts = chunk.counts();
    List<String> frames = chunk.frames().stream().map(Frame::payload).toList();
    assertThat(chunk.endMicros()).isEqualTo(chunk.startMicros() + SETTINGS.chunkMicros());
    assertThat(counts.received()).isEqualTo(counts.used() + counts.surplus() + counts.duplicate());
    return "chunk %d at %d: %s (%d used, %d surplus, %d duplicate, %d missing)"
        .formatted(
            chunk.index(),
            chunk.startMicros() / 1000,
            String.join(" ", frames),
            counts.used(),
            counts.surplus(),
            counts.duplicate(),
            counts.missing());
  }

  private static String tell(Gap<String> gap) {
    return "gap %d-%d from %d to %d (%d missing)"
        .formatted(
            gap.first(),
            gap.last(),
            gap.startMicros() / 1000,
            gap.endMicros() / 1000,
            gap.counts().missing());
  }

  private static Gap<String> gap(long first, long last, long start, long end, int missing) {
    return new Gap<>(first, last, start * 1000, end * 1000, counts(0, 0, 0, 0, missing));
  }

  private static List<Chunk<String>> chunks(List<Assembled<String>> events) {
    List<Chunk<String>> chunks = new ArrayList<>();
    for (Assembled<String> event : events) {
      if (event instanceof Chunk<String> chunk) {
        chunks.add(chunk);
      }
    }
    return chunks;
  }

  private static List<DeadFrame<String>> dead(List<Assembled<String>> events) {
    List<DeadFrame<String>> dead = new ArrayList<>();
    for (Assembled<String> event : events) {
      if (event instanceof DeadFrame<String> frame) {
        dead.add(frame);
      }
    }
    return dead;
  }
}
