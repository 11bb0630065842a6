// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** An event that stands there twice, for committed and for live readers. */
class RepeatedTextTest {
  private final RecordedStream stream = RecordedStream.regular("north", 6);
  private final List<TextEvent> events = stream.events;

  @Test
  void anEventThatStandsThereTwiceIsNamedWithBothPlaces() {
    events.add(events.get(3));

    Violation violation = Auditing.texts(events).only(Kind.REPEATED);
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
    Auditing.texts(events, Set.of(), true).only(Kind.CHANGED);
  }

  @Test
  void otherBytesForTheSameIdentityAreNamed() {
    events.add(TextEvent.newBuilder(events.get(5)).setText("something else").build());

    assertThat(Auditing.texts(events).only(Kind.CHANGED).detail()).contains("offset 5", "other");
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
}
