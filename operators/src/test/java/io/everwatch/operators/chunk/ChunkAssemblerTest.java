// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.DeadFrame;
import io.everwatch.operators.chunk.Assembled.Reason;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules of architecture §3a but for those of clocks, one by one. */
class ChunkAssemblerTest extends AssemblerCase {
  private static final long HOUR = 3_600_000;
  private static final long YEAR_2038 = 2_145_916_800_000L;

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
}
