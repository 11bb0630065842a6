// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import io.everwatch.schemas.avro.TextKind;
import java.util.List;

/**
 * One event of the interval, compared.
 *
 * @param recorded digest of the value that stands in the topic; empty: none does
 * @param again digest of the value that was said again; empty: none was
 * @param differences field by field; empty when they are equal
 */
public record ReplayLine(
    long chunk,
    long lastChunk,
    String subject,
    TextKind kind,
    Verdict verdict,
    String recorded,
    String again,
    List<String> differences) {
  /** What the comparison came to. */
  public enum Verdict {
    /** The same bytes. */
    EQUAL,
    /** The same but for the numerics identity, which is another here. */
    EQUAL_BUT_NUMERICS,
    /** The same as far as the release that wrote it told: it had fewer fields. */
    EQUAL_BUT_RELEASE,
    /** Other bytes. */
    DIFFERENT,
    /** In the topic, and not said again. */
    NOT_SAID_AGAIN,
    /** Said again, and not in the topic. */
    NOT_IN_TOPIC
  }

  public ReplayLine {
    differences = List.copyOf(differences);
  }

  /** Whether the text follows from what is recorded. */
  public boolean agrees() {
    return verdict == Verdict.EQUAL
        || verdict == Verdict.EQUAL_BUT_NUMERICS
        || verdict == Verdict.EQUAL_BUT_RELEASE;
  }

  /** One line for people. */
  public String line() {
    String where =
        lastChunk == chunk ? "chunk " + chunk : "chunks %d to %d".formatted(chunk, lastChunk);
    return "%-18s %s %s%s %s%s"
        .formatted(
            verdict,
            where,
            kind,
            subject.isEmpty() ? "" : " " + subject,
            agrees() || recorded.isEmpty() || again.isEmpty()
                ? recorded + (recorded.isEmpty() ? again : "")
                : recorded + " in the topic, " + again + " again",
            differences.isEmpty() ? "" : ": " + String.join("; ", differences));
  }
}
