// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.TextEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Runs the checkers over lists instead of topics. */
final class Auditing {
  final List<Violation> violations = new ArrayList<>();
  final TextAudit texts;
  private AuditReport.Frames frames = AuditReport.Frames.NOT_READ;

  private Auditing(Set<Integer> truncated, boolean repeatsAllowed) {
    texts = new TextAudit("text", truncated, Set.of(), repeatsAllowed, violations::add);
  }

  /** The committed reading alone. */
  static Auditing texts(List<TextEvent> events) {
    return texts(events, Set.of(), false);
  }

  static Auditing texts(List<TextEvent> events, Set<Integer> truncated, boolean repeatsAllowed) {
    Auditing auditing = new Auditing(truncated, repeatsAllowed);
    for (int i = 0; i < events.size(); i++) {
      auditing.texts.accept(0, i, WireFormat.encode(events.get(i)));
    }
    return auditing;
  }

  /** Dead letters and frames beside the events. */
  Auditing beside(List<DeadLetter> deadLetters, List<byte[]> frameRecords) {
    Letters letters = new Letters("frames.dlq", true, violations::add);
    for (int i = 0; i < deadLetters.size(); i++) {
      letters.accept(0, i, WireFormat.encode(deadLetters.get(i)));
    }
    letters.compare("text", texts.streams());
    FramesAudit audit =
        new FramesAudit(
            RecordedStream.TOPIC, Map.of(0, 0L), Set.of(), texts, "text", letters, violations::add);
    for (int i = 0; i < frameRecords.size(); i++) {
      audit.accept(0, i, null, frameRecords.get(i));
    }
    frames = audit.finish();
    return this;
  }

  /** The violation of this kind, which must be the only one. */
  Violation only(Violation.Kind kind) {
    assertThat(violations).hasSize(1).extracting(Violation::kind).containsExactly(kind);
    return violations.get(0);
  }

  AuditReport.Frames frames() {
    return frames;
  }
}
