// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.benchmark.Skips.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * LiveSports-3K-CC (StreamingVLM §13.2): events of sports videos, {@code {video, video_id,
 * event_id, begin, end, event_title, event_asr}} a line, where {@code event_asr} is what was said
 * before; commentary {@code {video_id, event_id, begin, end, pred}} a line; references {@code
 * {video_id, event_id, gt_asr}} a line. The data set is published as a table: a line is a row of it
 * as JSON.
 */
final class LiveSports {
  private LiveSports() {}

  /** The events. */
  static List<Clip> clips(Path metadata, Skips skips) throws IOException {
    List<Clip> clips = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    JsonLines.read(
        metadata,
        skips,
        line -> {
          String id = id(line);
          double begin = JsonLines.number(line, "begin");
          double end = JsonLines.number(line, "end");
          String video = line.path("video").asText(JsonLines.text(line, "video_id") + ".mp4");
          String title = usable(id, line.path("event_title").asText(""), skips);
          String earlier = usable(id, line.path("event_asr").asText(""), skips);
          if (!seen.add(id)) {
            skips.add(Reason.REPEATED_CLIP, id);
          } else if (begin < 0 || begin >= end) {
            skips.add(Reason.NOTHING_TO_SAY, "%s: from %s s to %s s".formatted(id, begin, end));
          } else {
            clips.add(new Clip(id, video, begin, end, 0, title, earlier, List.of()));
          }
        });
    return clips;
  }

  private static String usable(String id, String text, Skips skips) {
    if (Word.hasUnknownCharacters(text)) {
      skips.add(Reason.UNKNOWN_CHARACTERS, id);
      return "";
    }
    return text.strip();
  }

  /** As the published judgements name an event. */
  static String id(JsonNode line) {
    return JsonLines.text(line, "video_id") + "_" + JsonLines.text(line, "event_id");
  }

  /** A line of commentary. */
  static ObjectNode line(Clip clip, List<Word> said) {
    int under = clip.id().lastIndexOf('_');
    String event = clip.id().substring(under + 1);
    ObjectNode line = JsonLines.object();
    line.put("video_id", clip.id().substring(0, under));
    if (event.matches("\\d{1,9}")) {
      line.put("event_id", Integer.parseInt(event));
    } else {
      line.put("event_id", event);
    }
    return line.put("begin", clip.from())
        .put("end", clip.to())
        .put("pred", said.stream().map(Word::text).collect(Collectors.joining(" ")));
  }

  /**
   * What two models said of the events. Where one said nothing, both are blank, as published: such
   * an event is decided by the order alone, and so by nobody.
   */
  static List<Pair> pairs(Path references, Path a, Path b, Skips skips) throws IOException {
    Map<String, String> human = texts(references, "gt_asr", skips);
    Map<String, String> first = texts(a, "pred", skips);
    Map<String, String> second = texts(b, "pred", skips);
    List<Pair> pairs = new ArrayList<>();
    human.forEach(
        (id, reference) -> {
          String ofA = first.get(id);
          String ofB = second.get(id);
          if (ofA == null || ofB == null) {
            skips.add(Reason.NO_COMMENTARY, "%s in %s".formatted(id, ofA == null ? a : b));
          } else if (reference.isEmpty()) {
            skips.add(Reason.TOO_FEW_WORDS, id + ": no word");
          } else {
            boolean blank = ofA.isEmpty() || ofB.isEmpty();
            String video = id.substring(0, id.lastIndexOf('_'));
            pairs.add(new Pair(id, video, reference, blank ? "" : ofA, blank ? "" : ofB));
          }
        });
    return pairs;
  }

  private static Map<String, String> texts(Path file, String field, Skips skips)
      throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    JsonLines.read(
        file,
        skips,
        line -> {
          String id = id(line);
          String text = usable(id, JsonLines.text(line, field), skips);
          if (texts.putIfAbsent(id, text) != null) {
            skips.add(Reason.REPEATED_CLIP, "%s: %s".formatted(file, id));
          }
        });
    return texts;
  }
}
