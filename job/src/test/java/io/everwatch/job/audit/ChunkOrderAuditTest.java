// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Chunks follow each other without a hole, and so do their intervals. */
class ChunkOrderAuditTest {
  private final RecordedStream stream = RecordedStream.regular("north", 6);
  private final List<TextEvent> events = stream.events;

  @Test
  void aMissingChunkIsAHoleReportedOnce() {
    events.remove(2);

    Violation violation = Auditing.texts(events).only(Kind.HOLE);
    assertThat(violation.chunk()).isEqualTo(3);
    assertThat(violation.detail()).contains("chunks 2 to 2");
  }

  @Test
  void aStreamThatDoesNotBeginWithItsFirstChunkHasAHoleUnlessRetentionTookIt() {
    List<TextEvent> rest = events.subList(2, 6);

    assertThat(Auditing.texts(rest).only(Kind.HOLE).detail()).contains("chunks 0 to 1");
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
    RecordedStream gappy = RecordedStream.gappy();
    TextEvent gap = gappy.events.get(1);
    assertThat(gap.getKind()).isEqualTo(TextKind.GAP);
    gappy.events.add(TextEvent.newBuilder(events.get(0)).setChunk(gap.getChunk() + 1).build());

    assertThat(Auditing.texts(gappy.events).only(Kind.OUT_OF_ORDER).chunk()).isEqualTo(2);
  }

  @Test
  void aGapNeedsItsRange() {
    RecordedStream gappy = RecordedStream.gappy();
    TextEvent gap = gappy.events.get(1);
    gappy.events.set(1, TextEvent.newBuilder(gap).setSkipped(null).build());

    assertThat(Auditing.texts(gappy.events).violations)
        .extracting(Violation::kind)
        .contains(Kind.FIELDS, Kind.HOLE);
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
    stream.change(3, event -> event.setStartMicros(event.getStartMicros() + 1));
    assertThat(Auditing.texts(events).violations)
        .extracting(Violation::kind)
        .containsExactly(Kind.INTERVAL, Kind.INTERVAL); // its length, and its beginning
  }

  @Test
  void aShiftedIntervalNeedsAClockReset() {
    long shift = 3_600_000_000L;
    for (int i = 3; i < 6; i++) {
      stream.change(
          i,
          event ->
              event
                  .setStartMicros(event.getStartMicros() + shift)
                  .setEndMicros(event.getEndMicros() + shift));
    }
    assertThat(Auditing.texts(events).only(Kind.INTERVAL).chunk()).isEqualTo(3);

    stream.change(3, event -> event.setClockReset(true));
    assertThat(Auditing.texts(events).violations).isEmpty();
  }
}
