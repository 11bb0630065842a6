// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The counts of frames and grid points add up, whatever was ordered or skipped. */
class FrameCountsAuditTest {
  private final RecordedStream stream = RecordedStream.regular("north", 6);
  private final List<TextEvent> events = stream.events;

  @Test
  void countsMustAddUp() {
    stream.change(2, event -> event.setFrames(new FrameCounts(2, 2, 1, 0, 0)));
    Auditing.texts(events).only(Kind.COUNTS);
  }

  @Test
  void gridPointsMustAddUp() {
    stream.change(2, event -> event.setFrames(new FrameCounts(2, 2, 0, 0, 1)));
    assertThat(Auditing.texts(events).only(Kind.COUNTS).detail()).contains("used + missing = 2");
  }

  @Test
  void aGapCountsAllItsGridPoints() {
    RecordedStream gappy = RecordedStream.gappy();
    assertThat(Auditing.texts(gappy.events).violations).isEmpty();
    TextEvent gap = gappy.events.get(1);
    gappy.events.set(
        1, TextEvent.newBuilder(gap).setFrames(new FrameCounts(0, 0, 0, 0, 5)).build());

    Auditing.texts(gappy.events).only(Kind.COUNTS);
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
    assertThat(Auditing.texts(events).only(Kind.COUNTS).detail()).contains("skipped");
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
    Auditing.texts(events).only(Kind.COUNTS);
    events.set(
        1,
        TextEvent.newBuilder(run)
            .setSkipped(
                new SkippedRange(1L, 2L, "overload: more than is understood within 5000 ms"))
            .build());
    assertThat(Auditing.texts(events).violations).extracting(Violation::kind).contains(Kind.HOLE);
  }

  @Test
  void chunksOfOneRoundAllNameItOneAfterTheOtherAndTheLastSpeaks() {
    MergedRange round = new MergedRange(1L, 3L);
    for (int chunk = 1; chunk <= 3; chunk++) {
      TextKind kind = chunk < 3 ? TextKind.SILENCE : TextKind.COMMENT;
      String text = chunk < 3 ? "" : "three seconds";
      stream.change(chunk, event -> event.setKind(kind).setText(text).setMerged(round));
    }
    assertThat(Auditing.texts(events).violations).isEmpty();
    assertThat(Auditing.texts(events.subList(2, 6), Set.of(0), false).violations)
        .as("the beginning is no longer kept")
        .isEmpty();

    List<TextEvent> good = List.copyOf(events);
    stream.change(2, event -> event.setMerged(null));
    assertThat(fields(events)).hasSize(2).first().asString().contains("chunks 1 to 3");
    restore(good);
    stream.change(1, event -> event.setMerged(null));
    assertThat(fields(events)).singleElement().asString().contains("says nothing of it");
    restore(good);
    stream.change(2, event -> event.setKind(TextKind.COMMENT).setText("too early"));
    assertThat(fields(events)).singleElement().asString().contains("expected silence");
    restore(good);
    stream.change(2, event -> event.setAppliedCommands(List.of("c")));
    assertThat(fields(events)).singleElement().asString().contains("commands [c]");
  }

  private void restore(List<TextEvent> good) {
    events.clear();
    events.addAll(good);
  }

  private static List<String> fields(List<TextEvent> events) {
    List<Violation> violations = Auditing.texts(events).violations;
    assertThat(violations).extracting(Violation::kind).containsOnly(Kind.FIELDS);
    return violations.stream().map(Violation::detail).toList();
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
    assertThat(Auditing.texts(events).only(Kind.COUNTS).detail())
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
}
