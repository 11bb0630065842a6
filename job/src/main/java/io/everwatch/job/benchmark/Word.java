// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A word of a human commentary.
 *
 * @param start seconds of the video
 * @param end seconds of the video
 */
record Word(double start, double end, String text) {
  /**
   * Control characters, unassigned ones, lone surrogates, and what a decoder puts for bad bytes.
   */
  private static final Pattern UNKNOWN =
      Pattern.compile("[\\p{Cc}\\p{Cn}\\p{Cs}\\x{FFFD}&&[^\\n\\r\\t]]");

  static boolean hasUnknownCharacters(String text) {
    return UNKNOWN.matcher(text).find();
  }

  /** Those that end in {@code (from, to]}, with a space between. */
  static String said(List<Word> words, double from, double to) {
    return words.stream()
        .filter(word -> word.end > from && word.end <= to)
        .map(Word::text)
        .collect(Collectors.joining(" "));
  }
}
