// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Text without case and accents, so that {@code Séance} is found by {@code seance}. */
final class Folding {
  private Folding() {}

  static String fold(String text) {
    if (ascii(text)) {
      return text.toLowerCase(Locale.ROOT);
    }
    StringBuilder folded = new StringBuilder(text.length());
    text.codePoints().forEach(point -> append(folded, point));
    return folded.toString();
  }

  /**
   * Where words occur, as positions in the text itself and not in its folded form.
   *
   * @param words folded
   * @return {@code [from, to)} in UTF-16 units, in order, none overlapping
   */
  static List<int[]> ranges(String text, List<String> words) {
    StringBuilder folded = new StringBuilder(text.length());
    List<Integer> origin = new ArrayList<>(text.length() + 1); // by position in folded
    for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
      append(folded, text.codePointAt(at));
      while (origin.size() < folded.length()) {
        origin.add(at);
      }
    }
    origin.add(text.length());
    String whole = folded.toString();
    boolean[] marked = new boolean[text.length() + 1];
    for (String word : words) {
      for (int at = whole.indexOf(word); at >= 0; at = whole.indexOf(word, at + 1)) {
        int to = Math.max(origin.get(at + word.length()), origin.get(at) + 1);
        for (int i = origin.get(at); i < to; i++) {
          marked[i] = true;
        }
      }
    }
    return runs(marked);
  }

  private static List<int[]> runs(boolean[] marked) {
    List<int[]> runs = new ArrayList<>();
    for (int at = 0; at < marked.length; at++) {
      if (marked[at] && (at == 0 || !marked[at - 1])) {
        int to = at;
        while (to < marked.length && marked[to]) {
          to++;
        }
        runs.add(new int[] {at, to});
      }
    }
    return runs;
  }

  private static void append(StringBuilder folded, int point) {
    if (point < 0x80) {
      folded.append((char) Character.toLowerCase(point));
      return;
    }
    Normalizer.normalize(Character.toString(point), Normalizer.Form.NFKD)
        .codePoints()
        .filter(part -> Character.getType(part) != Character.NON_SPACING_MARK)
        .map(Character::toLowerCase)
        .forEach(folded::appendCodePoint);
  }

  private static boolean ascii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }
}
