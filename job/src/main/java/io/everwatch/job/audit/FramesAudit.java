// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.operators.flink.FrameRecord;
import io.everwatch.operators.flink.FrameRecordReader;
import io.everwatch.operators.flink.Origin;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The frames topic beside the events: of each life of a stream, the frames that lie there are those
 * that its events count, those refused with a dead letter, and, while it goes on, those pending.
 * Exact for a life whose frames and events are all still there.
 */
final class FramesAudit {
  private record Place(String streamId, int partition) {}

  private final String topic;
  private final String textTopic;
  private final Map<Integer, Long> begins;
  private final Set<String> only;
  private final Letters letters;
  private final Consumer<Violation> violations;
  private final FrameRecordReader reader = new FrameRecordReader();
  private final Map<Place, NavigableMap<Long, Life>> lives = new HashMap<>();
  private final Map<Life, Boolean> endsFound = new HashMap<>();
  private long waiting;
  private long otherLives;

  /**
   * An audit that has seen no frame.
   *
   * @param begins oldest offset kept, by partition
   */
  FramesAudit(
      String topic,
      Map<Integer, Long> begins,
      Set<String> only,
      TextAudit texts,
      String textTopic,
      Letters letters,
      Consumer<Violation> violations) {
    this.topic = topic;
    this.begins = Map.copyOf(begins);
    this.only = Set.copyOf(only);
    this.textTopic = textTopic;
    this.letters = letters;
    this.violations = violations;
    texts.streams().forEach((id, stream) -> stream.lives().forEach(life -> add(id, life)));
  }

  private void add(String streamId, Life life) {
    long begin = begins.getOrDefault(life.partition(), Long.MAX_VALUE);
    if (!life.whole() || !life.topic().equals(topic) || life.firstOffset() < begin) {
      otherLives++;
      return;
    }
    endsFound.put(life, false);
    lives
        .computeIfAbsent(new Place(streamId, life.partition()), place -> new TreeMap<>())
        .put(life.firstOffset(), life);
  }

  /** The next record of the frames topic. */
  void accept(int partition, long offset, byte @Nullable [] key, byte @Nullable [] value) {
    if (letters.refused(topic, partition, offset)) {
      return;
    }
    FrameRecord record = reader.read(new Origin(topic, partition, offset, key), value, 0);
    String streamId = record.key().streamId();
    record
        .content()
        .<Runnable>match(
            picture -> () -> frame(streamId, partition, offset),
            end -> () -> end(streamId, partition, offset),
            command -> () -> {}, // never: they have a topic of their own
            unusable -> () -> waiting += only.isEmpty() ? 1 : 0)
        .run();
  }

  private void frame(String streamId, int partition, long offset) {
    Life life = at(streamId, partition, offset);
    if (life != null) {
      life.find();
    } else if (only.isEmpty() || only.contains(streamId)) {
      waiting++;
    }
  }

  private void end(String streamId, int partition, long offset) {
    Life life = at(streamId, partition, offset);
    if (life == null || !life.ended() || life.forgotten()) {
      return; // of a stream that never was, or its event is still to come
    }
    if (life.endOffset() == offset) {
      endsFound.put(life, true);
    } else {
      violations.accept(
          TextAudit.violation(
              textTopic,
              Kind.FRAMES,
              life.last(),
              "its source names offset %d of %s partition %d as the end of the stream; expected"
                      .formatted(life.endOffset(), topic, partition)
                  + " the end-of-stream record before, at offset %d".formatted(offset)));
    }
  }

  private @Nullable Life at(String streamId, int partition, long offset) {
    NavigableMap<Long, Life> all = lives.get(new Place(streamId, partition));
    Map.Entry<Long, Life> entry = all == null ? null : all.floorEntry(offset);
    return entry == null || offset > entry.getValue().endOffset() ? null : entry.getValue();
  }

  /** Compares, once all frames were offered. */
  AuditReport.Frames finish() {
    long found = 0;
    long pending = 0;
    for (Life life : endsFound.keySet()) {
      found += life.found();
      compare(life);
      if (!life.bounded()) {
        pending += Math.max(0, life.found() - life.reported());
      }
    }
    return new AuditReport.Frames(found, pending, endsFound.size(), otherLives, waiting);
  }

  private void compare(Life life) {
    boolean exact = life.bounded() && letters.whole();
    long found = life.found();
    if (found < life.reported() || (exact && found > life.reported())) {
      violations.accept(
          TextAudit.violation(
              textTopic,
              Kind.FRAMES,
              life.last(),
              ("the events from chunk 0 to here tell of %d frames; %s partition %d holds %d from"
                      + " offset %d%s without a dead letter of their own; expected %s")
                  .formatted(
                      life.reported(),
                      topic,
                      life.partition(),
                      found,
                      life.firstOffset(),
                      life.bounded() ? " to the end of the stream at " + life.endOffset() : " on",
                      exact ? "the same" : "at least as many")));
    }
    if (life.ended() && !life.forgotten() && !endsFound.getOrDefault(life, false)) {
      violations.accept(
          TextAudit.violation(
              textTopic,
              Kind.FRAMES,
              life.last(),
              "its source names offset %d of %s partition %d; expected an end-of-stream record there"
                  .formatted(life.endOffset(), topic, life.partition())));
    }
  }
}
