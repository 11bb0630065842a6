// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.TextKind;

/** Sums over the events of one stream or of all. */
final class Totals {
  private long answered;
  private long inGaps;
  private long unexplained;
  private long received;
  private long used;
  private long surplus;
  private long duplicate;
  private long missing;
  private long unusable;
  private long skipped;

  void chunks(TextKind kind, long chunks) {
    if (kind == TextKind.GAP) {
      inGaps += chunks;
    } else {
      answered += chunks;
    }
  }

  void holes(long chunks) {
    unexplained += chunks;
  }

  void frames(FrameCounts counts, long deadLettered, long skippedFrames) {
    received += counts.getReceived();
    used += counts.getUsed();
    surplus += counts.getSurplus();
    duplicate += counts.getDuplicate();
    missing += counts.getMissing();
    unusable += Math.max(0, deadLettered);
    skipped += Math.max(0, skippedFrames);
  }

  void add(Totals other) {
    answered += other.answered;
    inGaps += other.inGaps;
    unexplained += other.unexplained;
    received += other.received;
    used += other.used;
    surplus += other.surplus;
    duplicate += other.duplicate;
    missing += other.missing;
    unusable += other.unusable;
    skipped += other.skipped;
  }

  AuditReport.Chunks chunks() {
    return new AuditReport.Chunks(answered, inGaps, unexplained);
  }

  AuditReport.Counts counts() {
    return new AuditReport.Counts(received, used, surplus, duplicate, missing, unusable, skipped);
  }
}
