// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.DeadFrame;
import io.everwatch.operators.chunk.Assembled.Reason;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clocks that jump, cameras that restart or were away, sequences that go back (architecture §3a.5).
 */
class CameraClockTest extends AssemblerCase {
  private static final long HOUR = 3_600_000;
  private static final long YEAR_2038 = 2_145_916_800_000L;

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
}
