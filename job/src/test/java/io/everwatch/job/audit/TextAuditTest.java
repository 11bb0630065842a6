// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Each fault of a text topic, by hand. */
class TextAuditTest {
  private final RecordedStream stream = RecordedStream.regular("north", 6);
  private final List<TextEvent> events = stream.events;

  @Test
  void aRegularStreamIsClean() {
    stream.end();
    Auditing auditing = Auditing.texts(events);

    assertThat(auditing.violations).isEmpty();
    assertThat(auditing.texts.totals().chunks()).isEqualTo(new AuditReport.Chunks(6, 0, 0));
    assertThat(auditing.texts.totals().counts())
        .isEqualTo(new AuditReport.Counts(12, 12, 0, 0, 0, 0, 0));
  }

  @Test
  void chunksOfAStoppedStreamAndAnswersToCommandsAreExplained() {
    TextEvent third = events.get(2);
    TextEvent skipped = skipped(third, 2);
    events.set(2, skipped);
    events.add(
        2,
        TextEvent.newBuilder()
            .setStreamId(third.getStreamId())
            .setChunk(2)
            .setSubject("a-command")
            .setKind(TextKind.NOTICE)
            .setStartMicros(third.getStartMicros())
            .setEndMicros(third.getStartMicros())
            .setText("stopped")
            .setSources(List.of(new SourceRange("commands", 0, 5L, 5L)))
            .build());
    Auditing auditing = Auditing.texts(events);

    assertThat(auditing.violations).isEmpty();
    assertThat(auditing.texts.totals().chunks()).isEqualTo(new AuditReport.Chunks(5, 1, 0));
    assertThat(auditing.texts.totals().counts())
        .isEqualTo(new AuditReport.Counts(12, 10, 0, 0, 2, 0, 2));

    events.set(3, skipped(third, 0));
    assertThat(only(Auditing.texts(events), Kind.COUNTS).detail()).contains("skipped");
  }

  @Test
  void aRunThatOverloadSkippedIsExplainedByOneEvent() {
    TextEvent last = events.get(3);
    TextEvent run =
        TextEvent.newBuilder(skipped(events.get(1), 6))
            .setEndMicros(last.getEndMicros())
            .setLastSequence(last.getLastSequence())
            .setFrames(new FrameCounts(6, 0, 0, 0, 6))
            .setSkipped(
                new SkippedRange(1L, 3L, "overload: more than is understood within 5000 ms"))
            .build();
    events.subList(1, 4).clear();
    events.add(1, run);

    Auditing auditing = Auditing.texts(events);
    assertThat(auditing.violations).isEmpty();
    assertThat(auditing.texts.totals().counts())
        .isEqualTo(new AuditReport.Counts(12, 6, 0, 0, 6, 0, 6));

    events.set(1, TextEvent.newBuilder(run).setFrames(new FrameCounts(6, 0, 0, 0, 5)).build());
    only(Auditing.texts(events), Kind.COUNTS);
    events.set(
        1,
        TextEvent.newBuilder(run)
            .setSkipped(
                new SkippedRange(1L, 2L, "overload: more than is understood within 5000 ms"))
            .build());
    assertThat(Auditing.texts(events).violations).extracting(Violation::kind).contains(Kind.HOLE);
  }

  @Test
  void gridPointsChangeWithAnOrderedFrameRateOnly() {
    RecordedStream stream = RecordedStream.regular("door", 2);
    stream.frameRate(4, "set: fps=4, seed=1");
    for (int i = 0; i < 8; i++) {
      stream.frame(4 + i, RecordedStream.START + 2_000_000 + i * 250_000L);
    }
    stream.frameRate(1, "set: fps=1");
    stream.frame(12, RecordedStream.START + 6_000_000); // after a gap of two
    stream.frame(13, RecordedStream.START + 7_000_000);
    stream.end();
    assertThat(Auditing.texts(stream.events).violations).isEmpty();

    stream.events.removeIf(event -> event.getText().startsWith("set: fps=4"));
    assertThat(Auditing.texts(stream.events).violations)
        .extracting(Violation::kind)
        .contains(Kind.COUNTS);
  }

  @Test
  void theGridMayChangeByAnAnsweredCommandOnly() {
    TextEvent fifth = events.get(4);
    FrameCounts one = FrameCounts.newBuilder().setReceived(1).setUsed(1).build();
    for (int i = 3; i < 6; i++) {
      events.set(i, TextEvent.newBuilder(events.get(i)).setFrames(one).build());
    }
    assertThat(Auditing.texts(events).violations).hasSize(3).allMatch(v -> v.kind() == Kind.COUNTS);

    events.add(2, notice(events.get(2), "refused: set: fps=1"));
    assertThat(Auditing.texts(events).violations).hasSize(3);

    events.set(2, notice(events.get(3), "set: fps=3"));
    assertThat(Auditing.texts(events).violations).as("another rate").hasSize(3);

    events.set(2, notice(events.get(3), "set: fps=1, seed=7"));
    assertThat(Auditing.texts(events).violations).isEmpty();

    events.set(5, fifth); // and not back again
    assertThat(only(Auditing.texts(events), Kind.COUNTS).detail())
        .contains("expected used + missing = 1");
  }

  private static TextEvent notice(TextEvent before, String text) {
    return TextEvent.newBuilder()
        .setStreamId(before.getStreamId())
        .setBeganMicros(before.getBeganMicros())
        .setChunk(before.getChunk())
        .setSubject("a-command")
        .setKind(TextKind.NOTICE)
        .setStartMicros(before.getStartMicros())
        .setEndMicros(before.getStartMicros())
        .setText(text)
        .setSources(List.of(new SourceRange("commands", 0, 5L, 5L)))
        .build();
  }

  private static TextEvent skipped(TextEvent event, int received) {
    return TextEvent.newBuilder(event)
        .setKind(TextKind.GAP)
        .setText("")
        .setRound(-1)
        .setFrames(
            FrameCounts.newBuilder(event.getFrames())
                .setReceived(received)
                .setUsed(0)
                .setMissing(2)
                .build())
        .setSkipped(new SkippedRange(2L, 2L, "stopped by command a-command"))
        .build();
  }

  @Test
  void anEventThatStandsThereTwiceIsNamedWithBothPlaces() {
    events.add(events.get(3));

    Violation violation = only(Auditing.texts(events), Kind.REPEATED);
    assertThat(violation.chunk()).isEqualTo(3);
    assertThat(violation.offset()).isEqualTo(6);
    assertThat(violation.line())
        .isEqualTo(
            "REPEATED stream north chunk 3, text partition 0 offset 6: COMMENT with subject ''"
                + " stands at partition 0 offset 3 already, with the same bytes; expected it once");
  }

  @Test
  void atLeastOnceAllowsRepetitionsButNoOtherBytes() {
    events.add(events.get(3));
    assertThat(Auditing.texts(events, Set.of(), true).violations).isEmpty();

    events.add(TextEvent.newBuilder(events.get(3)).setText("something else").build());
    only(Auditing.texts(events, Set.of(), true), Kind.CHANGED);
  }

  @Test
  void otherBytesForTheSameIdentityAreNamed() {
    events.add(TextEvent.newBuilder(events.get(5)).setText("something else").build());

    assertThat(only(Auditing.texts(events), Kind.CHANGED).detail()).contains("offset 5", "other");
  }

  @Test
  void aMissingChunkIsAHoleReportedOnce() {
    events.remove(2);

    Violation violation = only(Auditing.texts(events), Kind.HOLE);
    assertThat(violation.chunk()).isEqualTo(3);
    assertThat(violation.detail()).contains("chunks 2 to 2");
  }

  @Test
  void aStreamThatDoesNotBeginWithItsFirstChunkHasAHoleUnlessRetentionTookIt() {
    List<TextEvent> rest = events.subList(2, 6);

    assertThat(only(Auditing.texts(rest), Kind.HOLE).detail()).contains("chunks 0 to 1");
    assertThat(Auditing.texts(rest, Set.of(0), false).violations).isEmpty();
  }

  @Test
  void aChunkAfterALaterOneIsOutOfOrder() {
    events.add(3, events.remove(2));

    assertThat(Auditing.texts(events).violations)
        .extracting(Violation::kind, Violation::chunk)
        .containsExactly(tuple(Kind.HOLE, 3L), tuple(Kind.OUT_OF_ORDER, 2L));
  }

  @Test
  void anEventInsideAGapIsOutOfOrder() {
    RecordedStream gappy = gappy();
    TextEvent gap = gappy.events.get(1);
    assertThat(gap.getKind()).isEqualTo(TextKind.GAP);
    gappy.events.add(TextEvent.newBuilder(events.get(0)).setChunk(gap.getChunk() + 1).build());

    assertThat(only(Auditing.texts(gappy.events), Kind.OUT_OF_ORDER).chunk()).isEqualTo(2);
  }

  @Test
  void nothingMayFollowTheEndButANewLife() {
    stream.end();
    for (int i = 0; i < 4; i++) {
      stream.frame(i, RecordedStream.START + i * 500_000L);
    }
    assertThat(Auditing.texts(events).violations).isEmpty();

    TextEvent stray = TextEvent.newBuilder(events.get(5)).setChunk(6).build();
    only(Auditing.texts(with(events.subList(0, 7), stray)), Kind.AFTER_END);
  }

  @Test
  void aFirstChunkOfOldRecordsIsNoNewLife() {
    stream.end();

    only(Auditing.texts(with(events, events.get(0))), Kind.REPEATED);
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
    only(Auditing.texts(with(events.subList(0, 7), events.get(3))), Kind.REPEATED);
  }

  @Test
  void anEndWithoutARecordNeedsAReason() {
    stream.forget();
    change(6, event -> event.setText("")); // so its source is a record that says it
    assertThat(Auditing.texts(events).beside(stream.letters, stream.frames).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.FRAMES);

    change(6, event -> event.setSources(List.of()));
    only(Auditing.texts(events), Kind.FIELDS);
  }

  @Test
  void aLifeKeepsItsNameUntilItEnds() {
    change(3, event -> event.setBeganMicros(RecordedStream.START + 1));

    assertThat(Auditing.texts(events).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.FIELDS, Kind.FIELDS); // there, and back
  }

  @Test
  void eventsOfAReleaseThatNamedNoLivesAreRead() {
    for (int i = 0; i < 3; i++) {
      change(i, event -> event.setBeganMicros(0));
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

    change(
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

  @Test
  void anEndMustNameTheChunkAfterTheLast() {
    stream.end();
    events.remove(5);

    assertThat(Auditing.texts(events).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.HOLE, Kind.INTERVAL);
  }

  @Test
  void anIntervalFollowsFromTheChunkIndex() {
    change(3, event -> event.setStartMicros(event.getStartMicros() + 1));
    assertThat(Auditing.texts(events).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.INTERVAL, Kind.INTERVAL); // its length, and its beginning
  }

  @Test
  void aShiftedIntervalNeedsAClockReset() {
    long shift = 3_600_000_000L;
    for (int i = 3; i < 6; i++) {
      change(
          i,
          event ->
              event
                  .setStartMicros(event.getStartMicros() + shift)
                  .setEndMicros(event.getEndMicros() + shift));
    }
    assertThat(only(Auditing.texts(events), Kind.INTERVAL).chunk()).isEqualTo(3);

    change(3, event -> event.setClockReset(true));
    assertThat(Auditing.texts(events).violations).isEmpty();
  }

  @Test
  void countsMustAddUp() {
    change(2, event -> event.setFrames(new FrameCounts(2, 2, 1, 0, 0)));
    only(Auditing.texts(events), Kind.COUNTS);
  }

  @Test
  void gridPointsMustAddUp() {
    change(2, event -> event.setFrames(new FrameCounts(2, 2, 0, 0, 1)));
    assertThat(only(Auditing.texts(events), Kind.COUNTS).detail()).contains("used + missing = 2");
  }

  @Test
  void aGapCountsAllItsGridPoints() {
    RecordedStream gappy = gappy();
    assertThat(Auditing.texts(gappy.events).violations).isEmpty();
    TextEvent gap = gappy.events.get(1);
    gappy.events.set(
        1, TextEvent.newBuilder(gap).setFrames(new FrameCounts(0, 0, 0, 0, 5)).build());

    only(Auditing.texts(gappy.events), Kind.COUNTS);
  }

  @Test
  void aGapNeedsItsRange() {
    RecordedStream gappy = gappy();
    TextEvent gap = gappy.events.get(1);
    gappy.events.set(1, TextEvent.newBuilder(gap).setSkipped(null).build());

    assertThat(Auditing.texts(gappy.events).violations)
        .extracting(Violation::kind)
        .contains(Kind.FIELDS, Kind.HOLE);
  }

  @Test
  void fieldsOfAnotherKindAreNamed() {
    change(1, event -> event.setSubject("ended"));
    only(Auditing.texts(events), Kind.FIELDS);

    change(1, event -> event.setSubject("").setSkipped(new SkippedRange(1L, 1L, "")));
    only(Auditing.texts(events), Kind.FIELDS);

    change(1, event -> event.setSkipped(null).setKind(TextKind.UNKNOWN));
    assertThat(Auditing.texts(events).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.FIELDS, Kind.HOLE);
  }

  @Test
  void moreFramesThanRecordsAreNamed() {
    change(1, event -> event.setSources(List.of(new SourceRange(RecordedStream.TOPIC, 0, 2L, 2L))));
    assertThat(only(Auditing.texts(events), Kind.FIELDS).detail())
        .contains("2 frames", "1 records");
  }

  @Test
  void aStreamInTwoPartitionsIsNamed() {
    TextAudit audit = Auditing.texts(events).texts;
    List<Violation> violations = new ArrayList<>();
    TextAudit twice = new TextAudit("text", Set.of(), Set.of(), false, violations::add);
    for (int i = 0; i < 6; i++) {
      twice.accept(i < 3 ? 0 : 1, i, WireFormat.encode(events.get(i)));
    }
    assertThat(violations).extracting(Violation::kind).containsExactly(Kind.MOVED);
    assertThat(audit.events()).isEqualTo(twice.events());
  }

  @Test
  void whatIsNoEventIsNamedAndTheRestIsChecked() {
    List<Violation> violations = new ArrayList<>();
    TextAudit audit = new TextAudit("text", Set.of(), Set.of(), false, violations::add);
    audit.accept(0, 0, "not an event".getBytes(StandardCharsets.UTF_8));
    audit.accept(0, 1, WireFormat.encode(events.get(0)));

    assertThat(violations).singleElement().extracting(Violation::kind).isEqualTo(Kind.UNREADABLE);
    assertThat(audit.events()).isEqualTo(1);
  }

  @Test
  void otherStreamsAreLeftOutWhenOneIsAskedFor() {
    List<Violation> violations = new ArrayList<>();
    TextAudit audit = new TextAudit("text", Set.of(), Set.of("south"), false, violations::add);
    audit.accept(0, 0, WireFormat.encode(events.get(4)));

    assertThat(violations).isEmpty();
    assertThat(audit.events()).isZero();
  }

  @Test
  void offsetsMustIncrease() {
    TextAudit audit = new TextAudit("text", Set.of(), Set.of(), false, violation -> {});
    audit.accept(0, 5, WireFormat.encode(events.get(0)));

    assertThatThrownBy(() -> audit.accept(0, 5, WireFormat.encode(events.get(1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("offset 5 of partition 0");
  }

  @Test
  void liveReadersMaySeeAnEventAgainOnlyWithTheSameBytes() {
    List<Violation> violations = new ArrayList<>();
    LiveAudit live = new LiveAudit("text", Set.of(), violations::add);
    stream.end();
    List<TextEvent> seen = new ArrayList<>(events);
    seen.addAll(events.subList(2, events.size())); // the end was aborted, and came again
    for (int i = 0; i < seen.size(); i++) {
      live.accept(0, i, WireFormat.encode(seen.get(i)));
    }
    assertThat(violations).isEmpty();

    live.accept(
        0, 99, WireFormat.encode(TextEvent.newBuilder(events.get(2)).setText("other").build()));
    assertThat(violations)
        .singleElement()
        .satisfies(
            violation -> {
              assertThat(violation.kind()).isEqualTo(Kind.CHANGED);
              assertThat(violation.offset()).isEqualTo(99);
              assertThat(violation.detail()).contains("offset 2");
            });
  }

  private static RecordedStream gappy() {
    RecordedStream stream = RecordedStream.regular("north", 1);
    for (int i = 8; i < 12; i++) {
      stream.frame(i - 6, RecordedStream.START + i * 500_000L);
    }
    return stream;
  }

  private void change(int index, Consumer<TextEvent.Builder> change) {
    TextEvent.Builder builder = TextEvent.newBuilder(events.get(index));
    change.accept(builder);
    events.set(index, builder.build());
  }

  private static List<TextEvent> with(List<TextEvent> events, TextEvent more) {
    List<TextEvent> all = new ArrayList<>(events);
    all.add(more);
    return all;
  }

  private static Violation only(Auditing auditing, Kind kind) {
    assertThat(auditing.violations).hasSize(1).extracting(Violation::kind).containsExactly(kind);
    return auditing.violations.get(0);
  }
}
