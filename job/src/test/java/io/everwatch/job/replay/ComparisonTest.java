// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.job.replay.ReplayLine.Verdict;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.message.BinaryMessageEncoder;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  private final List<ReplayLine> lines = new ArrayList<>();

  private static TextEvent.Builder comment(long chunk) {
    return WireFormat.newTextEvent()
        .setStreamId("gate")
        .setChunk(chunk)
        .setKind(TextKind.COMMENT)
        .setStartMicros(chunk)
        .setEndMicros(chunk + 1)
        .setText("A bus.")
        .setNumericsDigest("here");
  }

  private static Said said(TextEvent.Builder event) throws WireFormatException {
    return Said.of(WireFormat.encode(event.build()));
  }

  @Test
  void namesWhatStandsOnOneSideOnly() throws Exception {
    Comparison comparison = new Comparison(List.of(said(comment(1)), said(comment(2))), lines::add);

    comparison.saidAgain(said(comment(1)));
    comparison.saidAgain(said(comment(3)));
    comparison.finish(said -> false);

    assertThat(lines)
        .extracting(ReplayLine::chunk, ReplayLine::verdict)
        .containsExactly(
            tuple(1L, Verdict.EQUAL),
            tuple(3L, Verdict.NOT_IN_TOPIC),
            tuple(2L, Verdict.NOT_SAID_AGAIN));
    assertThat(comparison.compared()).isEqualTo(3);
    assertThat(comparison.agreeing()).isEqualTo(1);
  }

  @Test
  void aRepetitionWithTheSameBytesIsOneEventAndWithOthersTwo() throws Exception {
    Said other = said(comment(1).setText("A car."));
    Comparison comparison =
        new Comparison(List.of(said(comment(1)), said(comment(1)), other), lines::add);

    comparison.saidAgain(said(comment(1)));

    assertThat(lines)
        .extracting(ReplayLine::verdict)
        .containsExactly(Verdict.EQUAL, Verdict.DIFFERENT);
    assertThat(lines.get(1).differences())
        .containsExactly("text 'A car.' in the topic, 'A bus.' again");
  }

  @Test
  void otherNumericsAreNamedOnceAndLeftOutOfTheComparison() throws Exception {
    Comparison comparison =
        new Comparison(
            List.of(
                said(comment(1).setNumericsDigest("there")),
                said(comment(2).setNumericsDigest("there").setText("A car."))),
            lines::add);

    comparison.saidAgain(said(comment(1).setMarks(List.of(Mark.NUMERICS_CHANGED))));
    comparison.saidAgain(said(comment(2)));

    assertThat(lines)
        .extracting(ReplayLine::verdict)
        .containsExactly(Verdict.EQUAL_BUT_NUMERICS, Verdict.DIFFERENT);
    assertThat(comparison.notes())
        .containsExactly("the numerics identity differs: there in the topic, here here");
  }

  private static MemoryFigures.Builder memory(long computed) {
    return MemoryFigures.newBuilder()
        .setVisionRows(16)
        .setGeneratedRows(9)
        .setContextRows(20)
        .setRestRows(30)
        .setSinkRows(16)
        .setPosition(70)
        .setComputedRows(computed);
  }

  @Test
  void theMemoryIsCompared() throws Exception {
    Comparison comparison =
        new Comparison(List.of(said(comment(1).setMemory(memory(100).build()))), lines::add);

    comparison.saidAgain(said(comment(1).setMemory(memory(101).build())));

    assertThat(lines).extracting(ReplayLine::verdict).containsExactly(Verdict.DIFFERENT);
    assertThat(lines.get(0).differences())
        .containsExactly("memory.computedRows '100' in the topic, '101' again");
  }

  /** The released schema, which had no such field. */
  private static Said ofFirstRelease(TextEvent.Builder event) throws Exception {
    Schema writer;
    try (InputStream in = WireFormat.class.getResourceAsStream("released/0.1.0/text_event.avsc")) {
      writer = new Schema.Parser().parse(in);
    }
    TextEvent whole = event.build();
    GenericData.Record record = new GenericData.Record(writer);
    for (Schema.Field field : writer.getFields()) {
      record.put(field.name(), whole.get(field.name()));
    }
    return Said.of(
        new BinaryMessageEncoder<GenericData.Record>(whole.getSpecificData(), writer)
            .encode(record)
            .array());
  }

  @Test
  void textOfAnEarlierReleaseIsComparedAsFarAsItTells() throws Exception {
    Comparison comparison =
        new Comparison(
            List.of(
                ofFirstRelease(comment(1)),
                ofFirstRelease(comment(2)),
                ofFirstRelease(comment(3).setNumericsDigest("there"))),
            lines::add);

    comparison.saidAgain(said(comment(1).setMemory(memory(100).build())));
    comparison.saidAgain(said(comment(2).setText("A car.").setMemory(memory(200).build())));
    comparison.saidAgain(said(comment(3).setMemory(memory(300).build())));

    assertThat(lines)
        .extracting(ReplayLine::verdict)
        .containsExactly(Verdict.EQUAL_BUT_RELEASE, Verdict.DIFFERENT, Verdict.EQUAL_BUT_NUMERICS);
    assertThat(lines.get(1).differences())
        .containsExactly("text 'A bus.' in the topic, 'A car.' again");
    assertThat(comparison.notes())
        .contains(
            "the text was written by a release that told nothing of the memory; it is compared without");
    assertThat(comparison.agreeing()).isEqualTo(2);
  }

  @Test
  void anAnswerThatTheCheckpointHadGivenNeedNotComeAgain() throws Exception {
    Said notice =
        said(
            comment(1)
                .setKind(TextKind.NOTICE)
                .setSubject("a-command")
                .setSources(List.of(new SourceRange("commands", 0, 5L, 5L))));
    Comparison comparison = new Comparison(List.of(notice), lines::add);

    comparison.finish(said -> said.equals(notice));

    assertThat(lines).isEmpty();
  }

  @Test
  void silenceAndForgettingAreNoPartOfIt() throws Exception {
    Said ended = said(comment(1).setKind(TextKind.ENDED).setText("").setSubject("ended"));
    Said forgotten = said(comment(1).setKind(TextKind.ENDED).setText("no record for 24 h"));

    assertThat(ended.follows()).isTrue();
    assertThat(forgotten.follows()).isFalse();
    assertThat(said(comment(1).setKind(TextKind.STALE)).follows()).isFalse();
  }
}
