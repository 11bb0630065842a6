// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.benchmark.Skips.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FormatsTest {
  @TempDir Path folder;

  private final List<String> told = new ArrayList<>();
  private final Skips skips = new Skips(told::add);

  private Path file(String name, String... lines) throws IOException {
    return Files.writeString(folder.resolve(name), String.join("\n", lines) + "\n");
  }

  @Test
  void gamesAreReadAndWhatIsWrongWithThemIsCountedByItsReason() throws IOException {
    Path metadata =
        file(
            "games.jsonl",
            "{\"video\": \"a.mp4\", \"content\": [[1001, 1002, \"two\"], [1000, 1001, \" one \"],"
                + " [1005, 1003, \"late\"], [1003, 1004, \"  \"], [1003, 1004, \"b\\u0007ell\"],"
                + " [1003, 1004, \"\\ufffd\"], [null, 1004, \"never\"], [1090, 1100.5, \"last\"]]}",
            "{\"video\": \"a.mp4\", \"content\": [[1001, 1002, \"again\"]]}",
            "{\"video\": \"early.mp4\", \"content\": [[1, 2, \"early\"]]}",
            "{\"video\": \"none.mp4\", \"content\": []}",
            "{\"content\": []}",
            "[1, 2]",
            "{\"video\": \"torn.mp4\", \"cont");

    List<Clip> clips = InfStreams.clips(metadata, 1000, skips);

    assertThat(clips).hasSize(1);
    Clip clip = clips.get(0);
    assertThat(clip.words()).extracting(Word::text).containsExactly("one", "two", "last");
    assertThat(clip.to()).isEqualTo(1100.5);
    assertThat(clip.before(1001.5)).isEqualTo("one");
    assertThat(skips.counts())
        .isEqualTo(
            Map.of(
                "word-times", 2L,
                "empty-word", 1L,
                "unknown-characters", 2L,
                "repeated-clip", 1L,
                "nothing-to-say", 2L,
                "malformed-line", 3L));
    assertThat(told).anyMatch(line -> line.contains("games.jsonl, line 5"));
  }

  @Test
  void bytesThatAreNoTextAreUnknownCharactersAndNoEnd() throws IOException {
    Path metadata = folder.resolve("bytes.jsonl");
    byte[] line =
        "{\"video\": \"a\", \"content\": [[1, 2, \"caf?\"], [2, 3, \"fine\"]]}\n"
            .getBytes(StandardCharsets.ISO_8859_1);
    line[new String(line, StandardCharsets.ISO_8859_1).indexOf('?')] = (byte) 0xe9;
    Files.write(metadata, line);

    assertThat(InfStreams.clips(metadata, 0, skips).get(0).words())
        .extracting(Word::text)
        .containsExactly("fine");
    assertThat(skips.of(Reason.UNKNOWN_CHARACTERS)).isEqualTo(1);
  }

  @Test
  void reasonsThatComeAllTheTimeAreToldATwentyTimesAndCountedOn() {
    for (int i = 0; i < 40_001; i++) {
      skips.add(Reason.WORD_TIMES, "word " + i);
    }
    assertThat(told).hasSize(20);
    assertThat(skips.of(Reason.WORD_TIMES)).isEqualTo(40_001);
  }

  @Test
  void eventsAreReadAsPublished() throws IOException {
    Path metadata =
        file(
            "events.jsonl",
            "{\"video\": \"v.mp4\", \"video_id\": \"a_b\", \"event_id\": 3, \"begin\": 24.5,"
                + " \"end\": 52.25, \"event_title\": \"Finals\", \"event_asr\": \"And now\"}",
            "{\"video_id\": \"c\", \"event_id\": 1, \"begin\": 9, \"end\": 5}",
            "{\"video_id\": \"d\", \"event_id\": 1, \"begin\": 0}");
    List<Clip> clips = LiveSports.clips(metadata, skips);
    assertThat(clips)
        .containsExactly(
            new Clip("a_b_3", "v.mp4", 24.5, 52.25, 0, "Finals", "And now", List.of()));
    assertThat(skips.counts()).isEqualTo(Map.of("nothing-to-say", 1L, "malformed-line", 1L));
    assertThat(LiveSports.line(clips.get(0), List.of(new Word(0, 1, "Up"), new Word(1, 2, "he"))))
        .hasToString(
            "{\"video_id\":\"a_b\",\"event_id\":3,\"begin\":24.5,\"end\":52.25,\"pred\":\"Up he\"}");
  }

  @Test
  void segmentsHaveTheWordsThatEndInThemAndEnoughOfThem() throws IOException {
    StringBuilder content = new StringBuilder();
    for (int i = 0; i < 250; i++) {
      double end = 1000 + 0.4 * (i + 1); // 250 words to second 1100
      content.append(i == 0 ? "" : ",").append("[%s,%s,\"w%d\"]".formatted(end - 0.2, end, i));
    }
    for (int i = 0; i < 20; i++) {
      content.append(",[%d,%d,\"x\"]".formatted(1110 + i, 1111 + i));
    }
    Path metadata = file("m.jsonl", "{\"video\":\"v\",\"content\":[" + content + "]}");
    Path a =
        file(
            "a.jsonl",
            "{\"video\":\"v\",\"chunk_start\":1000,\"chunk_end\":1100,\"items\":["
                + "{\"response\":\"second\",\"start_time\":1099,\"end_time\":1100},"
                + "{\"response\":\"first\",\"start_time\":1000,\"end_time\":1001},"
                + "{\"response\":\"before\",\"start_time\":999,\"end_time\":1000}]}",
            "{\"video\":\"v\",\"chunk_start\":1100,\"chunk_end\":1200,\"items\":["
                + "{\"response\":\"third\",\"start_time\":1100,\"end_time\":1101}]}");
    Path b = file("b.jsonl", "{\"video\":\"v\",\"items\":[]}");

    List<Pair> pairs = InfStreams.pairs(metadata, 1000, a, b, skips);

    assertThat(pairs).hasSize(1);
    assertThat(pairs.get(0).id()).isEqualTo("v@1000");
    assertThat(pairs.get(0).a()).isEqualTo("first second");
    assertThat(pairs.get(0).b()).isEmpty();
    assertThat(pairs.get(0).reference()).startsWith("w0 w1 ").endsWith(" w249");
    assertThat(skips.of(Reason.TOO_FEW_WORDS)).isEqualTo(1);
  }

  @Test
  void whereOneSideOfAnEventIsEmptyBothAreBlank() throws IOException {
    Path references =
        file(
            "gt.jsonl",
            "{\"video_id\":\"v\",\"event_id\":1,\"gt_asr\":\"he scores\"}",
            "{\"video_id\":\"v\",\"event_id\":2,\"gt_asr\":\"he misses\"}",
            "{\"video_id\":\"v\",\"event_id\":3,\"gt_asr\":\"half time\"}");
    Path a =
        file(
            "a.jsonl",
            "{\"video_id\":\"v\",\"event_id\":1,\"pred\":\"goal\"}",
            "{\"video_id\":\"v\",\"event_id\":2,\"pred\":\" \"}",
            "{\"video_id\":\"v\",\"event_id\":3,\"pred\":\"half\"}");
    Path b =
        file(
            "b.jsonl",
            "{\"video_id\":\"v\",\"event_id\":1,\"pred\":\"a goal\"}",
            "{\"video_id\":\"v\",\"event_id\":2,\"pred\":\"a miss\"}");
    assertThat(LiveSports.pairs(references, a, b, skips))
        .containsExactly(
            new Pair("v_1", "v", "he scores", "goal", "a goal"),
            new Pair("v_2", "v", "he misses", "", ""));
    assertThat(skips.of(Reason.NO_COMMENTARY)).isEqualTo(1);
  }
}
