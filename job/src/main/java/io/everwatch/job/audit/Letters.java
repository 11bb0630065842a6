// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.job.audit.StreamAudit.Claim;
import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.DeadLetter;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The dead-letter topic beside the events: each chunk's unusable pictures lie there, and no others.
 * It is written at least once, so a letter about the same record counts once. Keeps one entry per
 * letter.
 */
final class Letters {
  private record Place(String topic, int partition) {}

  private record Letter(int partition, long offset, long count) {}

  private final String topic;
  private final boolean whole;
  private final Consumer<Violation> violations;
  private final Map<Place, Set<Long>> told = new HashMap<>();
  private final Map<Place, Set<Long>> refused = new HashMap<>();
  private final Map<String, Map<Long, Letter>> unusable = new HashMap<>();
  private long refusals;
  private long pictures;

  /** None yet; {@code whole}: the topic is there and retention has removed nothing. */
  Letters(String topic, boolean whole, Consumer<Violation> violations) {
    this.topic = topic;
    this.whole = whole;
    this.violations = violations;
  }

  /** The next record of the dead-letter topic. */
  void accept(int partition, long offset, byte[] value) {
    DeadLetter letter;
    try {
      letter = WireFormat.decodeDeadLetter(value);
    } catch (WireFormatException e) {
      violations.accept(
          new Violation(
              Kind.UNREADABLE,
              "",
              -1,
              topic,
              partition,
              offset,
              e.getMessage() + "; expected nothing but dead letters of this release"));
      return;
    }
    Place place = new Place(letter.getTopic(), letter.getPartition());
    if (!told.computeIfAbsent(place, p -> new HashSet<>()).add(letter.getOffset())) {
      return;
    }
    String streamId = letter.getStreamId();
    if (letter.getChunk() < 0 || streamId == null) {
      refused.computeIfAbsent(place, p -> new HashSet<>()).add(letter.getOffset());
      refusals++;
      return;
    }
    pictures++;
    unusable
        .computeIfAbsent(streamId, id -> new HashMap<>())
        .merge(
            letter.getChunk(),
            new Letter(partition, offset, 1),
            (a, b) -> new Letter(b.partition(), b.offset(), a.count() + 1));
  }

  /** Whether no chunk took this record of the frames topic. */
  boolean refused(String framesTopic, int partition, long offset) {
    return refused.getOrDefault(new Place(framesTopic, partition), Set.of()).contains(offset);
  }

  boolean whole() {
    return whole;
  }

  AuditReport.DeadLetters report() {
    return new AuditReport.DeadLetters(pictures, refusals, whole);
  }

  /** Compares with what the events of each stream claim. */
  void compare(String textTopic, Map<String, StreamAudit> streams) {
    streams.forEach((streamId, stream) -> compare(textTopic, streamId, stream));
  }

  private void compare(String textTopic, String streamId, StreamAudit stream) {
    Map<Long, Letter> letters = unusable.getOrDefault(streamId, Map.of());
    stream
        .claims()
        .forEach(
            (chunk, claim) -> {
              Letter letter = letters.get(chunk);
              long there = letter == null ? 0 : letter.count();
              if (there > claim.frames() || (whole && there < claim.frames())) {
                violations.accept(missing(textTopic, claim, there));
              }
            });
    letters.forEach(
        (chunk, letter) -> {
          boolean known = chunk >= stream.firstChunk() && chunk < stream.nextChunk();
          if (known && !stream.claims().containsKey(chunk)) {
            violations.accept(
                new Violation(
                    Kind.DEAD_LETTERS,
                    streamId,
                    chunk,
                    topic,
                    letter.partition(),
                    letter.offset(),
                    "%d unusable picture(s) of a chunk whose event counts none; expected none"
                        .formatted(letter.count())));
          }
        });
  }

  private Violation missing(String textTopic, Claim claim, long there) {
    return TextAudit.violation(
        textTopic,
        Kind.DEAD_LETTERS,
        claim.at(),
        "%d of its pictures lie in %s; expected %d, what its counts leave open"
            .formatted(there, topic, claim.frames()));
  }
}
