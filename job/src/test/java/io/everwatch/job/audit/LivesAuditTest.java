// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How a stream may begin, fall silent, end and come back. */
class LivesAuditTest {
  private final RecordedStream stream = RecordedStream.regular("north", 6);
  private final List<TextEvent> events = stream.events;

  @Test
  void nothingMayFollowTheEndButANewLife() {
    stream.end();
    for (int i = 0; i < 4; i++) {
      stream.frame(i, RecordedStream.START + i * 500_000L);
    }
    assertThat(Auditing.texts(events).violations).isEmpty();

    TextEvent stray = TextEvent.newBuilder(events.get(5)).setChunk(6).build();
    Auditing.texts(with(events.subList(0, 7), stray)).only(Kind.AFTER_END);
  }

  @Test
  void aFirstChunkOfOldRecordsIsNoNewLife() {
    stream.end();

    Auditing.texts(with(events, events.get(0))).only(Kind.REPEATED);
  }

  @Test
  void aStreamThatWasForgottenMayComeBack() {
    stream.forget();
    for (int i = 0; i < 4; i++) { // with capture times as if it had never been away
      stream.frame(i, RecordedStream.START + 10_000_000 + i * 500_000L);
    }
    Auditing auditing = Auditing.texts(events).beside(stream.letters, stream.frames);

    assertThat(auditing.violations).isEmpty();
    assertThat(auditing.texts.totals().chunks()).isEqualTo(new AuditReport.Chunks(8, 0, 0));
    Auditing.texts(with(events.subList(0, 7), events.get(3))).only(Kind.REPEATED);
  }

  @Test
  void anEndWithoutARecordNeedsAReason() {
    stream.forget();
    stream.change(6, event -> event.setText("")); // so its source is a record that says it
    assertThat(Auditing.texts(events).beside(stream.letters, stream.frames).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.FRAMES);

    stream.change(6, event -> event.setSources(List.of()));
    Auditing.texts(events).only(Kind.FIELDS);
  }

  @Test
  void aLifeKeepsItsNameUntilItEnds() {
    stream.change(3, event -> event.setBeganMicros(RecordedStream.START + 1));

    assertThat(Auditing.texts(events).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.FIELDS, Kind.FIELDS); // there, and back
  }

  @Test
  void eventsOfAReleaseThatNamedNoLivesAreRead() {
    for (int i = 0; i < 3; i++) {
      stream.change(i, event -> event.setBeganMicros(0));
    }
    assertThat(Auditing.texts(events).violations).isEmpty();
  }

  @Test
  void aSilenceIsToldBetweenChunks() {
    stream.stale();
    stream.frame(12, RecordedStream.START + 12_000_000);
    stream.frame(13, RecordedStream.START + 12_500_000);
    stream.stale();
    assertThat(events).extracting(TextEvent::getKind).containsOnlyOnce(TextKind.GAP);
    assertThat(Auditing.texts(events).violations).isEmpty();

    stream.change(
        6,
        event ->
            event
                .setChunk(2)
                .setEndMicros(event.getEndMicros() + 1)
                .setFrames(new FrameCounts(1, 0, 1, 0, 0)));
    assertThat(Auditing.texts(events).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.COUNTS, Kind.OUT_OF_ORDER, Kind.INTERVAL);
  }

  @Test
  void aStreamThatACommandBeganMayBeSilentAndForgottenWithoutAFrame() {
    RecordedStream ordered = new RecordedStream("north", RecordedStream.SETTINGS, new Random(0), 0);
    ordered.stale();
    ordered.forget();
    stream.forget();
    List<TextEvent> all = new ArrayList<>(ordered.events);
    all.addAll(events);
    ordered.events.set(0, TextEvent.newBuilder(ordered.events.get(0)).setChunk(1).build());
    ordered.events.set(1, TextEvent.newBuilder(ordered.events.get(1)).setChunk(1).build());
    all.addAll(ordered.events);

    assertThat(Auditing.texts(all).violations).isEmpty();
  }

  private static List<TextEvent> with(List<TextEvent> events, TextEvent more) {
    List<TextEvent> all = new ArrayList<>(events);
    all.add(more);
    return all;
  }
}
