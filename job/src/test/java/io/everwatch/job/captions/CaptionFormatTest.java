// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;

class CaptionFormatTest {
  private static final long ORIGIN = 1_700_000_000_000_000L; // 2023-11-14T22:13:20Z

  static {
    WireFormat.trustGeneratedClasses();
  }

  private final StringWriter out = new StringWriter();

  private String written(CaptionFormat format, CaptionClock clock, TextEvent... events) {
    CaptionWriter writer = format.writer(new PrintWriter(out), clock);
    List.of(events).forEach(writer::write);
    return out.toString();
  }

  private static TextEvent event(int second, TextKind kind, String text) {
    return TextEvent.newBuilder()
        .setStreamId("gate")
        .setChunk(second)
        .setKind(kind)
        .setStartMicros(ORIGIN + second * 1_000_000L)
        .setEndMicros(ORIGIN + (second + 1) * 1_000_000L)
        .setText(text)
        .build();
  }

  @Test
  void whatWasSaidOfSeveralSecondsStandsOverAllOfThem() {
    TextEvent[] events = {
      event(0, TextKind.COMMENT, "A tram."),
      merged(event(1, TextKind.SILENCE, "")),
      merged(event(2, TextKind.SILENCE, "")),
      merged(event(3, TextKind.COMMENT, "Two cars and a bus."))
    };
    assertThat(written(CaptionFormat.TEXT, CaptionClock.since(ORIGIN), events).lines())
        .containsExactly(
            "00:00:00.000  gate  A tram.",
            "00:00:01.000  gate  ..",
            "00:00:02.000  gate  ..",
            "00:00:03.000  gate  Two cars and a bus.");
    assertThat(written(CaptionFormat.WEBVTT, CaptionClock.since(ORIGIN), events))
        .contains("00:00:01.000 --> 00:00:04.000\nTwo cars and a bus.");
  }

  private static TextEvent merged(TextEvent event) {
    return TextEvent.newBuilder(event).setMerged(new MergedRange(1L, 3L)).build();
  }

  @Test
  void textHasOneLinePerSecondSilenceIncluded() {
    TextEvent gap =
        TextEvent.newBuilder(event(2, TextKind.GAP, "")).setEndMicros(ORIGIN + 7_500_000L).build();
    assertThat(
            written(
                    CaptionFormat.TEXT,
                    CaptionClock.since(ORIGIN),
                    event(0, TextKind.COMMENT, " A red bus stops."),
                    event(1, TextKind.SILENCE, ""),
                    gap,
                    event(3725, TextKind.ERROR, "no row left"),
                    event(3726, TextKind.ENDED, ""))
                .lines())
        .containsExactly(
            "00:00:00.000  gate  A red bus stops.",
            "00:00:01.000  gate  ...",
            "00:00:02.000  gate  [no frames for 5.5 s]",
            "01:02:05.000  gate  [error: no row left]",
            "01:02:06.000  gate  [ended]");
  }

  @Test
  void textCanShowTheTimeOfDay() {
    assertThat(
            written(
                CaptionFormat.TEXT,
                CaptionClock.timeOfDay(ZoneOffset.UTC),
                event(5, TextKind.SILENCE, "")))
        .startsWith("22:13:25  gate");
  }

  @Test
  void whatTheModelSaysCannotSteerTheTerminal() {
    String line =
        written(
            CaptionFormat.TEXT,
            CaptionClock.since(ORIGIN),
            event(0, TextKind.COMMENT, " A\u001b[2J\rb\nc"));
    assertThat(line.strip()).isEqualTo("00:00:00.000  gate  A [2J b c");
  }

  @Test
  void theNameOfAStreamCannotSteerTheTerminal() {
    TextEvent event =
        TextEvent.newBuilder(event(0, TextKind.SILENCE, ""))
            .setStreamId("a\u001b]0;b\u0007\u009b2J")
            .build();
    assertThat(written(CaptionFormat.TEXT, CaptionClock.since(ORIGIN), event))
        .doesNotContain("\u001b", "\u0007", "\u009b");
  }

  @Test
  void webVttHasCuesForWordsOnlyAndEscapesThem() {
    assertThat(
            written(
                CaptionFormat.WEBVTT,
                CaptionClock.since(0),
                event(0, TextKind.SILENCE, ""),
                event(1, TextKind.COMMENT, " A <b>bus</b> & --> more."),
                event(2, TextKind.GAP, "")))
        .isEqualTo(
            """
            WEBVTT

            00:00:01.000 --> 00:00:02.000
            A &lt;b&gt;bus&lt;/b&gt; &amp; --&gt; more.

            NOTE 00:00:02.000 to 00:00:03.000 GAP

            """);
  }

  @Test
  void jsonHoldsEveryFieldOfTheSchemaOnOneLine() throws IOException {
    TextEvent event = event(4, TextKind.COMMENT, " A \"bus\"\n");
    String line = written(CaptionFormat.JSON, CaptionClock.since(0), event);
    assertThat(line.lines()).hasSize(1);
    JsonNode json = new ObjectMapper().readTree(line);
    TextEvent.getClassSchema()
        .getFields()
        .forEach(field -> assertThat(json.has(field.name())).as(field.name()).isTrue());
    assertThat(json.get("text").asText()).isEqualTo(" A \"bus\"\n");
    assertThat(json.get("chunk").isNumber()).isTrue();
    assertThat(json.get("kind").asText()).isEqualTo("COMMENT");
    assertThat(json.get("frames").get("received").asInt()).isZero();
    assertThat(json.get("skipped").isNull()).isTrue();
  }
}
