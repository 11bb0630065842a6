// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.captions.SubtitleFile.Cue;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Subtitles as a reader of others takes them. */
class SubtitlesTest {
  private static final long ORIGIN = 1_700_000_000_000_000L;
  private static final Duration HOLD = Duration.ofSeconds(4);

  static {
    WireFormat.trustGeneratedClasses();
  }

  @TempDir private Path dir;

  private static TextEvent.Builder event(double second, TextKind kind, String text) {
    return TextEvent.newBuilder()
        .setStreamId("gate")
        .setBeganMicros(ORIGIN)
        .setChunk((long) second)
        .setKind(kind)
        .setStartMicros(ORIGIN + (long) (second * 1e6))
        .setEndMicros(ORIGIN + (long) (second * 1e6) + 1_000_000L)
        .setText(text);
  }

  private static TextEvent said(int second, String text) {
    return event(second, text.isEmpty() ? TextKind.SILENCE : TextKind.COMMENT, text).build();
  }

  private static String written(
      CaptionFormat format, CaptionTimeline timeline, Duration hold, List<TextEvent> events) {
    StringWriter out = new StringWriter();
    CaptionWriter writer =
        format.writer(new PrintWriter(out), CaptionClock.since(0), timeline, hold);
    events.forEach(writer::write);
    writer.finish();
    return out.toString();
  }

  private List<Cue> cues(CaptionFormat format, CaptionTimeline timeline, List<TextEvent> events)
      throws IOException {
    Path file = dir.resolve("captions." + format.extension());
    Files.writeString(file, written(format, timeline, HOLD, events));
    return SubtitleFile.read(file);
  }

  private List<Cue> cues(CaptionFormat format, TextEvent... events) throws IOException {
    return cues(format, CaptionTimeline.sinceFirstEvent(), List.of(events));
  }

  @ParameterizedTest
  @EnumSource(names = {"WEBVTT", "SRT"})
  void aCommentStaysUntilTheNextOrForAWhile(CaptionFormat format) throws Exception {
    assertThat(
            cues(
                format,
                said(0, ""),
                said(1, " A bus."),
                said(2, ""),
                said(3, " A car."),
                said(4, ""),
                said(5, ""),
                said(6, ""),
                said(7, ""),
                said(8, ""),
                said(9, " A tram.")))
        .containsExactly(
            new Cue(1000, 3000, "A bus."),
            new Cue(3000, 8000, "A car."),
            new Cue(9000, 14_000, "A tram."));
  }

  @ParameterizedTest
  @EnumSource(names = {"WEBVTT", "SRT"})
  void whatIsSaidAgainStaysOn(CaptionFormat format) throws Exception {
    assertThat(
            cues(
                format,
                said(0, " A bus."),
                said(1, " A bus."),
                said(2, ""),
                said(3, " A bus."),
                said(4, " A car."),
                said(5, "")))
        .containsExactly(new Cue(0, 4000, "A bus."), new Cue(4000, 9000, "A car."));
  }

  @ParameterizedTest
  @EnumSource(names = {"WEBVTT", "SRT"})
  void nothingStaysOverAGapOrTheEnd(CaptionFormat format) throws Exception {
    TextEvent gap = event(1, TextKind.GAP, "").setEndMicros(ORIGIN + 30_000_000L).build();
    TextEvent end = event(31, TextKind.ENDED, "").setEndMicros(ORIGIN + 31_000_000L).build();
    assertThat(cues(format, said(0, " A bus."), gap, said(30, " A car."), end))
        .containsExactly(new Cue(0, 1000, "A bus."), new Cue(30_000, 31_000, "A car."));
  }

  @Test
  void notesStandBehindTheCueThatIsOnTheScreen() {
    assertThat(
            written(
                CaptionFormat.WEBVTT,
                CaptionTimeline.sinceFirstEvent(),
                HOLD,
                List.of(
                    said(0, " A bus."),
                    event(1, TextKind.NOTICE, "stopped --> by a command").build(),
                    said(1, ""),
                    said(2, " A car."))))
        .isEqualTo(
            """
            WEBVTT

            00:00:00.000 --> 00:00:02.000
            A bus.

            NOTE 00:00:01.000 to 00:00:02.000 NOTICE stopped --&gt; by a command

            00:00:02.000 --> 00:00:07.000
            A car.

            """);
  }

  @Test
  void timesAreThoseOfTheIntervalOrOfTheClip() throws Exception {
    List<TextEvent> events = List.of(said(9, " A bus."), said(10, " A car."), said(11, " A tram."));
    assertThat(
            cues(
                CaptionFormat.SRT,
                CaptionTimeline.since(ORIGIN + 9_500_000).until(ORIGIN + 11_500_000),
                events))
        .as("cut at both ends")
        .containsExactly(
            new Cue(0, 500, "A bus."),
            new Cue(500, 1500, "A car."),
            new Cue(1500, 2000, "A tram."));
    assertThat(cues(CaptionFormat.SRT, CaptionTimeline.sinceFirstFrame(), events))
        .first()
        .isEqualTo(new Cue(9000, 10_000, "A bus."));
  }

  /** A clock that was set, forwards or back; the same clip published again. */
  @Test
  void timesGoOnWhereAClockWasSet() throws Exception {
    assertThat(
            cues(
                CaptionFormat.WEBVTT,
                said(0, " A bus."),
                event(100_000, TextKind.COMMENT, " A car.").setClockReset(true).build(),
                said(100_001, " A tram."),
                event(50, TextKind.COMMENT, " A cat.").setClockReset(true).build(),
                event(0, TextKind.COMMENT, " A dog.").build()))
        .containsExactly(
            new Cue(0, 1000, "A bus."),
            new Cue(1000, 2000, "A car."),
            new Cue(2000, 3000, "A tram."),
            new Cue(3000, 4000, "A cat."),
            new Cue(4000, 9000, "A dog."));
  }

  @ParameterizedTest
  @EnumSource(names = {"WEBVTT", "SRT"})
  void aFileWithoutWordsIsAFileStill(CaptionFormat format) {
    assertThat(written(format, CaptionTimeline.sinceFirstEvent(), HOLD, List.of()))
        .isEqualTo(format == CaptionFormat.WEBVTT ? "WEBVTT\n\n" : "");
  }

  private static final List<String> NASTY =
      List.of(
          "bus",
          "<b>",
          "</i>",
          "<font size=99>",
          "&",
          "&amp;",
          "&lt;",
          "-->",
          "{\\an8}",
          "\\N",
          "\\h",
          "WEBVTT",
          "NOTE",
          "STYLE",
          "00:00:01.000 --> 00:00:02.000",
          "1",
          "\n\n2\n",
          "\u0000",
          "\u001b[2J",
          "<00:00:01.000>",
          "<c.red>",
          "Straße",
          "\ud83d\ude8c",
          "電車が来る",
          "<script>alert(1)</script>",
          "\"",
          "'",
          "averyverylongwordwithoutanyplacewhereitmaybebrokenatall");

  /** Whatever is said, each cue is one cue with that text, and no order to the player. */
  @ParameterizedTest
  @EnumSource(names = {"WEBVTT", "SRT"})
  void whateverIsSaidIsText(CaptionFormat format) throws Exception {
    for (int seed = 0; seed < 30; seed++) {
      Random random = new Random(seed);
      List<TextEvent> events = new ArrayList<>();
      List<String> texts = new ArrayList<>();
      for (int second = 0; second < 40; second++) {
        StringBuilder text = new StringBuilder();
        for (int words = random.nextInt(9); words > 0; words--) {
          text.append(' ').append(NASTY.get(random.nextInt(NASTY.size())));
        }
        events.add(said(second, text.toString()));
        String plain = plain(text.toString(), format);
        if (!plain.isEmpty() && (texts.isEmpty() || !texts.get(texts.size() - 1).equals(plain))) {
          texts.add(plain);
        }
      }
      List<Cue> cues = cues(format, CaptionTimeline.sinceFirstEvent(), events);

      assertThat(cues.stream().map(cue -> letters(cue.text())))
          .as("seed %d", seed)
          .containsExactlyElementsOf(texts.stream().map(SubtitlesTest::letters).toList());
      for (int i = 0; i < cues.size(); i++) {
        assertThat(cues.get(i).to()).as("seed %d", seed).isGreaterThan(cues.get(i).from());
        if (i > 0) {
          assertThat(cues.get(i).from()).isGreaterThanOrEqualTo(cues.get(i - 1).to());
        }
      }
    }
  }

  /** What a player shows of a text, beside where it breaks lines. */
  private static String plain(String text, CaptionFormat format) {
    String line = text.replaceAll("\\p{Cntrl}", " ").strip();
    return format == CaptionFormat.WEBVTT
        ? line
        : line.replace('<', '\u2039')
            .replace('>', '\u203a')
            .replace('{', '(')
            .replace('}', ')')
            .replace('\\', '\u2216');
  }

  private static String letters(String text) {
    return text.replaceAll("\\s+", "");
  }
}
