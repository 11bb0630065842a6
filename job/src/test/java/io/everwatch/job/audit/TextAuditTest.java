// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is checked of a text topic as a whole, and of each event alone. */
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
  void fieldsOfAnotherKindAreNamed() {
    stream.change(1, event -> event.setSubject("ended"));
    Auditing.texts(events).only(Kind.FIELDS);

    stream.change(1, event -> event.setSubject("").setSkipped(new SkippedRange(1L, 1L, "")));
    Auditing.texts(events).only(Kind.FIELDS);

    stream.change(1, event -> event.setSkipped(null).setKind(TextKind.UNKNOWN));
    assertThat(Auditing.texts(events).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.FIELDS, Kind.HOLE);
  }

  @Test
  void moreFramesThanRecordsAreNamed() {
    stream.change(
        1, event -> event.setSources(List.of(new SourceRange(RecordedStream.TOPIC, 0, 2L, 2L))));
    assertThat(Auditing.texts(events).only(Kind.FIELDS).detail()).contains("2 frames", "1 records");
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
}
