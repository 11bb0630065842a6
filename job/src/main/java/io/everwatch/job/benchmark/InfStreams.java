// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.benchmark.Skips.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Inf-Streams-Eval (StreamingVLM §13.1): whole games with timed words, {@code {video, content:
 * [[start, end, word], …]}} a line; commentary from the 1000th second on, {@code {video,
 * chunk_start, chunk_end, items: [{response, start_time, end_time}]}} a line; judged in segments of
 * 100 s of which the human says at least 200 words.
 */
final class InfStreams {
  /** Second at which the commentary begins; what the human said before is context. */
  static final double START = 1000;

  /** Of a segment that is judged, and of a chunk in chunk mode. */
  static final int SEGMENT_SECONDS = 100;

  private static final int FEWEST_WORDS = 200;

  private InfStreams() {}

  /**
   * The games.
   *
   * @param start where their commentary begins
   */
  static List<Clip> clips(Path metadata, double start, Skips skips) throws IOException {
    List<Clip> clips = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    JsonLines.read(
        metadata,
        skips,
        line -> {
          String video = JsonLines.text(line, "video");
          JsonNode content = line.path("content");
          if (!content.isArray()) {
            throw new IllegalArgumentException("no list 'content'");
          }
          List<Word> words = words(video, content, skips);
          double end = words.isEmpty() ? 0 : words.get(words.size() - 1).end();
          if (!seen.add(video)) {
            skips.add(Reason.REPEATED_CLIP, video);
          } else if (end <= start) {
            skips.add(
                Reason.NOTHING_TO_SAY,
                "%s: last word at %.1f s, commentary from %.1f s".formatted(video, end, start));
          } else {
            clips.add(new Clip(video, video, start, end, (long) start, "", "", words));
          }
        });
    return clips;
  }

  /** The usable words, by their ends. */
  static List<Word> words(String video, JsonNode content, Skips skips) {
    List<Word> words = new ArrayList<>();
    for (JsonNode entry : content) {
      OptionalDouble start = JsonLines.number(entry.path(0));
      OptionalDouble end = JsonLines.number(entry.path(1));
      String text = entry.path(2).asText("").strip();
      String which = "%s: %s".formatted(video, entry);
      if (text.isEmpty()) {
        skips.add(Reason.EMPTY_WORD, which);
      } else if (Word.hasUnknownCharacters(text)) {
        skips.add(Reason.UNKNOWN_CHARACTERS, which);
      } else if (start.isEmpty() || end.isEmpty() || start.getAsDouble() > end.getAsDouble()) {
        skips.add(Reason.WORD_TIMES, which);
      } else {
        words.add(new Word(start.getAsDouble(), end.getAsDouble(), text));
      }
    }
    words.sort(Comparator.comparingDouble(Word::end));
    return words;
  }

  /** A line of commentary. */
  static ObjectNode line(String video, double from, double to, List<Word> said) {
    ObjectNode line = JsonLines.object();
    line.put("video", video).put("chunk_start", from).put("chunk_end", to);
    ArrayNode items = line.putArray("items");
    said.forEach(
        word ->
            items
                .addObject()
                .put("response", word.text())
                .put("start_time", word.start())
                .put("end_time", word.end()));
    return line;
  }

  /** What two models said of the segments of the games. */
  static List<Pair> pairs(Path metadata, double start, Path a, Path b, Skips skips)
      throws IOException {
    Map<String, List<Word>> first = commentary(a, skips);
    Map<String, List<Word>> second = commentary(b, skips);
    List<Pair> pairs = new ArrayList<>();
    for (Clip clip : clips(metadata, start, skips)) {
      List<Word> ofA = first.get(clip.video());
      List<Word> ofB = second.get(clip.video());
      if (ofA == null || ofB == null) {
        skips.add(Reason.NO_COMMENTARY, "%s in %s".formatted(clip.video(), ofA == null ? a : b));
        continue;
      }
      for (double from = clip.from(); from < clip.to(); from += SEGMENT_SECONDS) {
        double to = from + SEGMENT_SECONDS;
        String id = "%s@%.0f".formatted(clip.video(), from);
        String reference = Word.said(clip.words(), from, to);
        long count = reference.isEmpty() ? 0 : reference.split(" ", -1).length;
        if (count < FEWEST_WORDS) {
          skips.add(Reason.TOO_FEW_WORDS, "%s: %d words".formatted(id, count));
        } else {
          pairs.add(
              new Pair(
                  id, clip.video(), reference, Word.said(ofA, from, to), Word.said(ofB, from, to)));
        }
      }
    }
    return pairs;
  }

  /** Lines of one video are put together, whichever shard or chunk they are of. */
  private static Map<String, List<Word>> commentary(Path file, Skips skips) throws IOException {
    Map<String, List<Word>> said = new LinkedHashMap<>();
    JsonLines.read(
        file,
        skips,
        line -> {
          String video = JsonLines.text(line, "video");
          List<Word> all = said.computeIfAbsent(video, key -> new ArrayList<>());
          for (JsonNode item : line.path("items")) {
            String text = item.path("response").asText("").strip();
            double end = JsonLines.number(item, "end_time");
            if (!text.isEmpty()) {
              all.add(new Word(item.path("start_time").asDouble(end), end, text));
            }
          }
        });
    return said.entrySet().stream()
        .collect(
            Collectors.toMap(
                Map.Entry::getKey,
                entry ->
                    entry.getValue().stream()
                        .sorted(Comparator.comparingDouble(Word::end))
                        .toList()));
  }
}
