// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Which benchmark: how its files are read and written, and how it is asked and judged. */
public enum Benchmark {
  INF_STREAMS {
    @Override
    public String query() {
      return "Comment this game live, as on television: short sentences in the present tense on what"
          + " happens now, sometimes a brief remark. Say only what is seen; score and clock only"
          + " where they are on the screen.";
    }

    @Override
    String criteria() {
      return "First, which one has more of the tone and the pace of a live broadcast? If that does"
          + " not decide, which one agrees better with what happened, as far as the human commentary"
          + " tells?";
    }

    @Override
    List<Clip> clips(Path metadata, double start, Skips skips) throws IOException {
      return InfStreams.clips(metadata, start, skips);
    }

    @Override
    ObjectNode line(Clip clip, double from, double to, List<Word> said) {
      return InfStreams.line(clip.video(), from, to, said);
    }

    @Override
    String key(Clip clip, double from) {
      return "%s@%.3f".formatted(clip.video(), from);
    }

    @Override
    String key(JsonNode line) {
      return "%s@%.3f"
          .formatted(JsonLines.text(line, "video"), JsonLines.number(line, "chunk_start"));
    }

    @Override
    List<Pair> pairs(Path references, double start, Path a, Path b, Skips skips)
        throws IOException {
      return InfStreams.pairs(references, start, a, b, skips);
    }

    @Override
    boolean countsUndecided() {
      return false;
    }
  },
  LIVESPORTS {
    @Override
    public String query() {
      return "You comment {title} live, for people who want to understand what they see. Go on with"
          + " the commentary.";
    }

    @Override
    String criteria() {
      return "First, which one says more of the same things as the human commentary: meaning,"
          + " details, key points? If that does not decide, which one is nearer to its tone, choice"
          + " of words and structure?";
    }

    @Override
    List<Clip> clips(Path metadata, double start, Skips skips) throws IOException {
      return LiveSports.clips(metadata, skips);
    }

    @Override
    ObjectNode line(Clip clip, double from, double to, List<Word> said) {
      return LiveSports.line(clip, said);
    }

    @Override
    String key(Clip clip, double from) {
      return clip.id();
    }

    @Override
    String key(JsonNode line) {
      return LiveSports.id(line);
    }

    @Override
    List<Pair> pairs(Path references, double start, Path a, Path b, Skips skips)
        throws IOException {
      return LiveSports.pairs(references, a, b, skips);
    }

    @Override
    boolean countsUndecided() {
      return true;
    }
  };

  /** Of a chunk in chunk mode, unless said otherwise. */
  public static final int PIECE_SECONDS = InfStreams.SEGMENT_SECONDS;

  /** What the model is asked; {@code {title}} stands for the title. In our own words. */
  public abstract String query();

  /** What the judge is to look at, in this order. */
  abstract String criteria();

  abstract List<Clip> clips(Path metadata, double start, Skips skips) throws IOException;

  abstract ObjectNode line(Clip clip, double from, double to, List<Word> said);

  /** By what a line of commentary is known again. */
  abstract String key(Clip clip, double from);

  abstract String key(JsonNode line);

  abstract List<Pair> pairs(Path references, double start, Path a, Path b, Skips skips)
      throws IOException;

  /** Whether a vote for nobody counts among all votes. */
  abstract boolean countsUndecided();
}
