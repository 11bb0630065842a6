// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import io.everwatch.job.broker.TopicScan;
import io.everwatch.operators.flink.MergedChunks;
import io.everwatch.operators.flink.RecordedDecisions.Skip;
import io.everwatch.operators.flink.StreamSummary;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What the text topic holds, committed, of the life that a stream had at a checkpoint. */
final class RecordedText {
  private final List<Said> events;

  /** Offset of the last frame of a life that was forgotten. */
  private final Optional<Long> forgottenAfter;

  private RecordedText(List<Said> events, Optional<Long> forgottenAfter) {
    this.events = events;
    this.forgottenAfter = forgottenAfter;
  }

  /** Offset of the last frame when the stream was forgotten; empty: it was not. */
  Optional<Long> forgottenAfter() {
    return forgottenAfter;
  }

  /**
   * Reads it.
   *
   * @param since earlier records of the topic are not looked at
   * @throws ReplayException when there is no such topic, or nothing of the stream in it
   */
  static RecordedText read(
      Map<String, Object> client,
      String topic,
      StreamSummary stream,
      Optional<Instant> since,
      Duration timeout) {
    List<Said> events = new ArrayList<>();
    String id = stream.key().streamId();
    byte[] key = id.getBytes(StandardCharsets.UTF_8);
    try (TopicScan scan = new TopicScan(client, topic, /* committed= */ true, timeout)) {
      if (!scan.exists()) {
        throw new ReplayException(
            "there is no topic %s on this broker; expected the text that the job wrote; give topics.text"
                .formatted(topic));
      }
      since.ifPresent(scan::startAt);
      scan.forEach(record -> add(record, key, stream.beganMicros(), events));
    }
    if (events.stream()
        .noneMatch(said -> said.closes() && said.lastChunk() >= stream.nextChunk())) {
      throw new ReplayException(
          "topic %s holds no committed text of stream %s from chunk %d on, where the checkpoint stands; expected some to compare with; choose an earlier checkpoint"
              .formatted(topic, id, stream.nextChunk()));
    }
    Optional<Long> forgottenAfter =
        events.stream()
            .map(Said::event)
            .filter(event -> event.getKind() == TextKind.ENDED && !event.getText().isEmpty())
            .flatMap(event -> event.getSources().stream())
            .map(SourceRange::getLastOffset)
            .findFirst();
    return new RecordedText(events.stream().filter(Said::follows).toList(), forgottenAfter);
  }

  private static void add(
      ConsumerRecord<byte[], byte[]> record, byte[] key, long beganMicros, List<Said> events) {
    if (record.value() == null || !Arrays.equals(record.key(), key)) {
      return;
    }
    try {
      Said said = Said.of(record.value());
      if (said.event().getBeganMicros() == beganMicros) {
        events.add(said);
      }
    } catch (WireFormatException e) {
      return; // the audit's business
    }
  }

  /** Last chunk that can be compared. */
  long lastChunk() {
    return events.stream().filter(Said::closes).mapToLong(Said::lastChunk).max().orElseThrow();
  }

  /** First chunk that ends after this time. */
  Optional<Long> firstAfter(Instant time) {
    return events.stream()
        .filter(said -> said.closes() && said.event().getEndMicros() > micros(time))
        .map(said -> said.event().getChunk())
        .min(Long::compare);
  }

  /** Last chunk that begins before this time. */
  Optional<Long> lastBefore(Instant time) {
    return events.stream()
        .filter(said -> said.closes() && said.event().getStartMicros() < micros(time))
        .map(Said::lastChunk)
        .max(Long::compare);
  }

  private static long micros(Instant time) {
    return Math.addExact(
        Math.multiplyExact(time.getEpochSecond(), 1_000_000L), time.getNano() / 1000);
  }

  /** Chunks that had frames and were skipped under overload; a stopped stream's command says it. */
  List<Skip> skips() {
    return events.stream()
        .map(Said::event)
        .filter(event -> event.getKind() == TextKind.GAP && !event.getSources().isEmpty())
        .map(TextEvent::getSkipped)
        .map(gap -> new Skip(gap.getFirstChunk(), gap.getLastChunk(), gap.getReason()))
        .toList();
  }

  /** Chunks that were understood together; the events of each of them say it. */
  List<MergedChunks> merges() {
    return events.stream()
        .map(said -> said.event().getMerged())
        .filter(Objects::nonNull)
        .map(range -> new MergedChunks(range.getFirstChunk(), range.getLastChunk()))
        .distinct()
        .toList();
  }

  /** All events about these chunks, in order. */
  List<Said> between(long from, long to) {
    return events.stream()
        .filter(said -> said.lastChunk() >= from && said.event().getChunk() <= to)
        .toList();
  }
}
