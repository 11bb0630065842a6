// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * Splits text into the pieces inside which byte pairs are joined, as the published regular
 * expression does (Qwen2.5-VL §13.1.3), in one pass over the code points: linear in the text and
 * without the stack depth of a backtracking matcher.
 *
 * <p>The alternatives, in order: an English contraction; letters with at most one other character
 * before them (no line break, letter or number); one number character; punctuation with an optional
 * space before and line breaks behind; white space up to its last line break; white space but for
 * its last character, which belongs to the word behind; white space.
 */
final class PieceScanner {
  private final String text;
  private int at;

  PieceScanner(String text) {
    this.text = text;
  }

  boolean atEnd() {
    return at >= text.length();
  }

  /** The next piece, never empty; only if not {@link #atEnd}. */
  String next() {
    int start = at;
    at = end(start);
    return text.substring(start, at);
  }

  private int end(int start) {
    int first = text.codePointAt(start);
    int second = start + Character.charCount(first);
    int contraction = first == '\'' ? contractionEnd(second) : -1;
    if (contraction > 0) {
      return contraction;
    }
    if (Character.isLetter(first)) {
      return lettersEnd(second);
    }
    if (!isLineBreak(first) && !isNumber(first) && second < text.length()) {
      if (Character.isLetter(text.codePointAt(second))) {
        return lettersEnd(second);
      }
    }
    if (isNumber(first)) {
      return second;
    }
    int punctuation = first == ' ' ? second : start;
    if (punctuation < text.length() && isOther(text.codePointAt(punctuation))) {
      return punctuationEnd(punctuation);
    }
    return whiteSpaceEnd(start);
  }

  /** End of {@code s t re ve m ll d} in any case at {@code from}, or -1. */
  private int contractionEnd(int from) {
    if (from >= text.length()) {
      return -1;
    }
    char first = text.charAt(from);
    // U+017F, the long s, is a lower-case form of S.
    if ("stmdSTMD\u017f".indexOf(first) >= 0) {
      return from + 1;
    }
    for (String two : new String[] {"re", "ve", "ll"}) {
      if (text.regionMatches(true, from, two, 0, 2)) {
        return from + 2;
      }
    }
    return -1;
  }

  private int lettersEnd(int from) {
    int i = from;
    while (i < text.length() && Character.isLetter(text.codePointAt(i))) {
      i += Character.charCount(text.codePointAt(i));
    }
    return i;
  }

  private int punctuationEnd(int from) {
    int i = from;
    while (i < text.length() && isOther(text.codePointAt(i))) {
      i += Character.charCount(text.codePointAt(i));
    }
    while (i < text.length() && isLineBreak(text.charAt(i))) {
      i++;
    }
    return i;
  }

  private int whiteSpaceEnd(int start) {
    int i = start;
    int afterLineBreak = -1;
    // All white space lies in the basic plane: one char each.
    while (i < text.length() && isWhiteSpace(text.charAt(i))) {
      if (isLineBreak(text.charAt(i))) {
        afterLineBreak = i + 1;
      }
      i++;
    }
    if (afterLineBreak > 0) {
      return afterLineBreak;
    }
    return i == text.length() || i == start + 1 ? i : i - 1;
  }

  /** Neither white space nor letter nor number. */
  private static boolean isOther(int codePoint) {
    return !isWhiteSpace(codePoint) && !Character.isLetter(codePoint) && !isNumber(codePoint);
  }

  private static boolean isLineBreak(int codePoint) {
    return codePoint == '\n' || codePoint == '\r';
  }

  private static boolean isNumber(int codePoint) {
    int type = Character.getType(codePoint);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  /**
   * Unicode's White_Space. Differs from {@link Character#isWhitespace}, which lacks the no-break
   * spaces and has U+001C to U+001F.
   */
  private static boolean isWhiteSpace(int codePoint) {
    return (codePoint >= 0x09 && codePoint <= 0x0d)
        || codePoint == 0x20
        || codePoint == 0x85
        || codePoint == 0xa0
        || codePoint == 0x1680
        || (codePoint >= 0x2000 && codePoint <= 0x200a)
        || codePoint == 0x2028
        || codePoint == 0x2029
        || codePoint == 0x202f
        || codePoint == 0x205f
        || codePoint == 0x3000;
  }
}
