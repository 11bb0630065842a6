// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class WallTest {
  private final Told told = new Told(Told.LIMITS);
  private final Wall wall = told.wall;

  private List<String> texts(String stream) {
    return wall.events(stream).stream().map(said -> said.event().getText()).toList();
  }

  @Test
  void anEventThatComesAgainChangesNothing() {
    told.says("gate", 0, "A car.");
    told.says("gate", 1, "A bus.");
    wall.loaded();
    wall.takeChanges();

    told.says("gate", 0, "A car.");

    assertThat(wall.takeChanges().none()).isTrue();
    assertThat(texts("gate")).containsExactly("A car.", "A bus.");
    assertThat(wall.events()).hasSize(2);
  }

  @Test
  void otherBytesOfTheSameIdentityTakeItsPlaceAndAreMarked() {
    told.says("gate", 0, "A car.");
    told.says("gate", 1, "A bus.");

    told.says("gate", 0, "A lorry.");

    assertThat(texts("gate")).containsExactly("A lorry.", "A bus.");
    assertThat(wall.events()).extracting(Said::changed).containsExactly(true, false);
    assertThat(told.newest("gate").getText()).isEqualTo("A bus.");
  }

  @Test
  void aLifeThatBeginsAnewIsToldFromTheOneBefore() {
    told.says("gate", 0, "A car.");
    told.tell(told.event("gate", 0, TextKind.COMMENT).setText("A bus.").setBeganMicros(9));

    assertThat(texts("gate")).containsExactly("A car.", "A bus.");
    assertThat(told.view("gate").life()).isEqualTo(9);
  }

  @Test
  void theStateFollowsWhatComes() {
    told.sees("gate", 0, FrameEncoding.JPEG, new byte[10]);
    assertThat(told.view("gate").state()).isEqualTo(StreamState.WAITING);

    told.says("gate", 0, "A car.");
    assertThat(told.view("gate").state()).isEqualTo(StreamState.LIVE);

    told.passes(6_000);
    told.sees("gate", 12, FrameEncoding.JPEG, new byte[10]);
    assertThat(told.view("gate").state()).as("frames but no text").isEqualTo(StreamState.WAITING);

    told.passes(11_000);
    assertThat(told.view("gate").state()).isEqualTo(StreamState.SILENT);
    assertThat(told.view("gate").since()).isEqualTo(told.clockMillis.get());

    told.stops("gate", 17);
    assertThat(told.view("gate").state()).isEqualTo(StreamState.STOPPED);

    told.tell(told.event("gate", 18, TextKind.ENDED).setSubject("ended"));
    assertThat(told.view("gate").state()).isEqualTo(StreamState.ENDED);
  }

  @Test
  void aSilentStreamKeepsItsLastComment() {
    told.says("gate", 0, "A car.");
    told.says("gate", 1, "");

    StreamView view = told.view("gate");
    assertThat(told.newest("gate").getKind()).isEqualTo(TextKind.SILENCE);
    assertThat(view.comment()).extracting(said -> said.event().getText()).isEqualTo("A car.");
    assertThat(view.lagMillis()).isEqualTo(250);
  }

  @Test
  void aRestartOfTheJobIsSeenOnceInEachStreamAndCountedOnceForTheJob() {
    told.startedAt(1_000);
    told.says("gate", 0, "A car.");
    told.says("yard", 0, "A cat.");
    assertThat(told.view("gate").restarts()).isZero();

    told.startedAt(90_000);
    told.says("gate", 1, "A bus.");
    told.says("gate", 2, "A bike.");
    told.startedAt(91_500);
    told.says("yard", 1, "A dog.");

    assertThat(told.view("gate").restarts()).isEqualTo(1);
    assertThat(told.view("gate").restartedMillis()).isEqualTo(90_000);
    assertThat(wall.figures().snapshot().restarts())
        .containsExactly(new JobFigures.Restart(90_000, 2));
  }

  @Test
  void anEventWrittenAgainWithItsOldStartIsNoRestart() {
    told.startedAt(1_000);
    told.says("gate", 0, "A car.");
    told.startedAt(90_000);
    told.says("gate", 1, "A bus.");
    told.startedAt(1_000);
    told.says("gate", 2, "A bike.");

    assertThat(told.view("gate").restarts()).isEqualTo(1);
  }

  @Test
  void whatIsCommittedIsToldByTheNewestChunkOfTheLife() {
    told.says("gate", 0, "A car.");
    assertThat(told.view("gate").committedChunk()).isEqualTo(-1);

    wall.committed(told.received(told.event("gate", 0, TextKind.COMMENT)));

    assertThat(wall.takeChanges().committed())
        .containsEntry("gate", new Changes.Committed(1000 * Told.START_MILLIS, 0));
    assertThat(told.view("gate").committedChunk()).isZero();
  }

  @Test
  void forgetsTheOldestBeyondTheNumberOfEvents() {
    for (int chunk = 0; chunk < 1_500; chunk++) {
      told.says(chunk % 2 == 0 ? "gate" : "yard", chunk, "A car " + chunk);
    }

    assertThat(wall.events()).hasSize(1_000);
    assertThat(texts("gate").get(0)).isEqualTo("A car 500");
    assertThat(texts("yard").get(0)).isEqualTo("A car 501");
  }

  @Test
  void forgetsTheOldestBeyondTheirBytes() {
    Told small = new Told(new WallLimits(Duration.ofHours(1), 1_000, 100_000, 50, 1, 1));
    for (int chunk = 0; chunk < 100; chunk++) {
      small.says("gate", chunk, "x".repeat(3_000));
    }

    assertThat(small.wall.events()).hasSizeBetween(5, 20);
    assertThat(small.wall.events())
        .last()
        .extracting(said -> said.event().getChunk())
        .isEqualTo(99L);
  }

  @Test
  void forgetsWhatIsOlderThanItsHistory() {
    told.says("gate", 0, "A car.");
    told.passes(Duration.ofMinutes(61).toMillis());
    told.says("gate", 3_660, "A bus.");

    assertThat(texts("gate")).containsExactly("A bus.");
  }

  @Test
  void leavesOutStreamsBeyondTheirNumberAndCountsThat() {
    for (int i = 0; i < 60; i++) {
      told.says("camera-" + i, 0, "A car.");
    }

    assertThat(wall.streams()).hasSize(50);
    assertThat(wall.streamsLeftOut()).isEqualTo(10);
  }

  @Test
  void keepsPicturesWithinTheirBytesThoseThatCameLast() {
    for (int i = 0; i < 5; i++) {
      told.sees("camera-" + i, 0, FrameEncoding.JPEG, new byte[30_000]);
    }

    assertThat(wall.picture("camera-1")).isEmpty();
    assertThat(wall.picture("camera-2")).isPresent();
    assertThat(wall.picture("camera-4")).isPresent();
    assertThat(told.view("camera-1").frame()).extracting(Frame::sequence).isEqualTo(0L);
  }

  @Test
  void tellsNothingOfThePastButLetsPagesBeginAgainWhenItIsRead() {
    told.says("gate", 0, "A car.");
    assertThat(wall.takeChanges().texts()).isEmpty();

    wall.loaded();
    assertThat(wall.takeChanges().afresh()).isTrue();

    told.says("gate", 1, "A bus.");
    assertThat(wall.takeChanges().texts())
        .extracting(said -> said.event().getText())
        .containsExactly("A bus.");
  }

  @Test
  void whatIsTooMuchAtOnceLetsPagesBeginAgain() {
    Told large = new Told(new WallLimits(Duration.ofHours(1), 10_000, 100_000_000, 50, 1, 1));
    large.wall.loaded();
    large.wall.takeChanges();
    for (int chunk = 0; chunk <= Wall.TOLD_AT_ONCE; chunk++) {
      large.says("gate", chunk, "");
    }

    assertThat(large.wall.takeChanges().afresh()).isTrue();
    assertThat(large.wall.takeChanges().none()).isTrue();
  }

  @Test
  void aStreamThatEndedAndOfWhichNothingIsKeptGoes() {
    told.tell(told.event("gate", 0, TextKind.ENDED).setSubject("ended"));
    wall.takeChanges();
    told.passes(Duration.ofHours(2).toMillis());
    wall.takeChanges();

    assertThat(wall.view("gate")).isEmpty();
  }

  @Test
  void aLagThatNobodyMeasuredIsAbsent() {
    told.sees("gate", 0, FrameEncoding.JPEG, new byte[10]);

    assertThat(told.view("gate").lagMillis()).isEqualTo(EventHeaders.ABSENT);
  }
}
