// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Frames and dead letters beside the events: what is exact, and what cannot be. */
class FramesAuditTest {
  private static final int CHUNK_FRAMES = 2;

  private final RecordedStream stream = RecordedStream.regular("north", 6);

  @Test
  void framesOfAStreamThatGoesOnArePending() {
    stream.frame(12, RecordedStream.START + 6_000_000L);

    Auditing auditing = Auditing.texts(stream.events).beside(stream.letters, stream.frames);
    assertThat(auditing.violations).isEmpty();
    assertThat(auditing.frames()).isEqualTo(new AuditReport.Frames(13, 1, 1, 0, 0));
  }

  @Test
  void framesThatAreCountedAndNotThereAreNamedEvenWhileTheStreamGoesOn() {
    List<byte[]> frames = stream.frames.subList(0, 11);

    Violation violation = Auditing.texts(stream.events).beside(List.of(), frames).only(Kind.FRAMES);
    assertThat(violation.chunk()).isEqualTo(5);
    assertThat(violation.detail()).contains("12 frames", "holds 11", "at least as many");
  }

  @Test
  void anEndedStreamLeavesNothingPending() {
    stream.end();
    List<byte[]> frames = new ArrayList<>(stream.frames);
    byte[] end = frames.remove(frames.size() - 1);
    frames.add(frames.get(3));
    frames.add(end);
    TextEvent ended = stream.events.remove(stream.events.size() - 1);
    var source = ended.getSources().get(0);
    stream.events.add(
        TextEvent.newBuilder(ended)
            .setSources(
                List.of(new SourceRange(source.getTopic(), source.getPartition(), 13L, 13L)))
            .build());

    Violation violation = Auditing.texts(stream.events).beside(List.of(), frames).only(Kind.FRAMES);
    assertThat(violation.detail()).contains("12 frames", "holds 13");
  }

  @Test
  void theEndNamesTheEndOfStreamRecord() {
    stream.end();
    List<byte[]> frames = new ArrayList<>(stream.frames);
    frames.set(12, "not a frame".getBytes(StandardCharsets.UTF_8));

    Violation violation = Auditing.texts(stream.events).beside(List.of(), frames).only(Kind.FRAMES);
    assertThat(violation.detail()).contains("offset 12", "end-of-stream record");
  }

  @Test
  void aLifeWhoseFirstFramesAreGoneIsNotCompared() {
    Auditing auditing = Auditing.texts(stream.events);
    Letters letters = new Letters("frames.dlq", true, auditing.violations::add);
    FramesAudit audit =
        new FramesAudit(
            RecordedStream.TOPIC,
            Map.of(0, 4L),
            Set.of(),
            auditing.texts,
            "text",
            letters,
            auditing.violations::add);
    for (int i = 4; i < stream.frames.size(); i++) {
      audit.accept(0, i, null, stream.frames.get(i));
    }
    assertThat(audit.finish()).isEqualTo(new AuditReport.Frames(0, 0, 0, 1, 8));
    assertThat(auditing.violations).isEmpty();
  }

  @Test
  void aDeadLetterThatWasWrittenAgainCountsOnce() {
    RecordedStream faulty = faulty();
    assertThat(faulty.letters).isNotEmpty();
    List<DeadLetter> twice = new ArrayList<>(faulty.letters);
    twice.addAll(faulty.letters);

    assertThat(Auditing.texts(faulty.events).beside(twice, faulty.frames).violations).isEmpty();
  }

  @Test
  void aDeadLetterOfAChunkThatCountsNoneIsNamed() {
    List<DeadLetter> letters =
        List.of(letter(2, 1), letter(3, 6)); // the event of chunk 6 is still to come

    Violation violation =
        Auditing.texts(stream.events).beside(letters, stream.frames).only(Kind.DEAD_LETTERS);
    assertThat(violation.chunk()).isEqualTo(1);
    assertThat(violation.topic()).isEqualTo("frames.dlq");
  }

  @Test
  void deadLettersThatRetentionTookAreNotMissed() {
    RecordedStream faulty = faulty();
    Auditing auditing = Auditing.texts(faulty.events);
    new Letters("frames.dlq", false, auditing.violations::add)
        .compare("text", auditing.texts.streams());
    assertThat(auditing.violations).isEmpty();

    new Letters("frames.dlq", true, auditing.violations::add)
        .compare("text", auditing.texts.streams());
    assertThat(auditing.violations)
        .isNotEmpty()
        .extracting(Violation::kind)
        .containsOnly(Kind.DEAD_LETTERS);
  }

  @Test
  void whatIsNoDeadLetterIsNamed() {
    List<Violation> violations = new ArrayList<>();
    Letters letters = new Letters("frames.dlq", true, violations::add);
    letters.accept(0, 7, new byte[] {1, 2, 3});

    assertThat(violations)
        .singleElement()
        .satisfies(
            violation -> {
              assertThat(violation.kind()).isEqualTo(Kind.UNREADABLE);
              assertThat(violation.line()).contains("frames.dlq partition 0 offset 7");
            });
  }

  private static RecordedStream faulty() {
    RecordedStream faulty =
        new RecordedStream("north", RecordedStream.SETTINGS, new Random(3), 0.5);
    for (int i = 0; i < 6 * CHUNK_FRAMES; i++) {
      faulty.frame(i, RecordedStream.START + i * 500_000L);
    }
    return faulty;
  }

  private static DeadLetter letter(long offset, long chunk) {
    return WireFormat.newDeadLetter()
        .setTopic(RecordedStream.TOPIC)
        .setPartition(0)
        .setOffset(offset)
        .setReason("TRUNCATED")
        .setStreamId("north")
        .setChunk(chunk)
        .build();
  }
}
