// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Breaks a caption into lines that are read at a glance: as few as possible, about equally long,
 * between words where the script has any. Widths are in columns, an ideograph is two.
 */
final class LineBreaks {
  private LineBreaks() {}

  /**
   * The lines, without spaces at their ends.
   *
   * @param text without line ends
   * @param width columns of a line at most
   */
  static List<String> of(String text, int width) {
    List<String> pieces = pieces(text.strip(), width);
    int lines = fill(pieces, width).size();
    int narrow = 1;
    int wide = width;
    while (narrow < wide) { // the least width that needs no line more
      int middle = (narrow + wide) / 2;
      if (fill(pieces, middle).size() <= lines) {
        wide = middle;
      } else {
        narrow = middle + 1;
      }
    }
    return fill(pieces, wide);
  }

  private static List<String> fill(List<String> pieces, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String piece : pieces) {
      if (line.length() > 0 && columns((line + piece).strip()) > width) {
        add(line, lines);
        line.setLength(0);
      }
      line.append(piece);
    }
    add(line, lines);
    return lines;
  }

  private static void add(CharSequence line, List<String> lines) {
    String text = line.toString().strip();
    if (!text.isEmpty()) {
      lines.add(text);
    }
  }

  /** What is never broken, spaces behind it included; words that are too long are cut. */
  private static List<String> pieces(String text, int width) {
    List<String> pieces = new ArrayList<>();
    BreakIterator breaks = BreakIterator.getLineInstance(Locale.ROOT);
    breaks.setText(text);
    int from = breaks.first();
    for (int to = breaks.next(); to != BreakIterator.DONE; to = breaks.next()) {
      cut(text.substring(from, to), width, pieces);
      from = to;
    }
    return pieces;
  }

  private static void cut(String word, int width, List<String> pieces) {
    BreakIterator characters = BreakIterator.getCharacterInstance(Locale.ROOT);
    characters.setText(word);
    int from = 0;
    int columns = 0;
    int before = 0;
    for (int to = characters.next(); to != BreakIterator.DONE; to = characters.next()) {
      columns += columns(word.substring(before, to).strip());
      if (columns > width) {
        pieces.add(word.substring(from, before));
        from = before;
        columns = columns(word.substring(before, to).strip());
      }
      before = to;
    }
    pieces.add(word.substring(from));
  }

  private static int columns(String text) {
    return text.codePoints().map(LineBreaks::columns).sum();
  }

  private static int columns(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> 0;
      default -> isWide(codePoint) ? 2 : 1;
    };
  }

  private static boolean isWide(int codePoint) {
    if (codePoint < 0x1100) {
      return false;
    }
    return switch (Character.UnicodeScript.of(codePoint)) {
      case HAN, HIRAGANA, KATAKANA, HANGUL, BOPOMOFO, YI -> true;
      default -> codePoint >= 0xff01 && codePoint <= 0xff60; // full-width forms
    };
  }
}
