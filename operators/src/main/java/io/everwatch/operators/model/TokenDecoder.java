// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * Turns the ids of one turn into text as they come (Qwen2.5-VL §13.2). A character may be split
 * over tokens, so up to three bytes wait for their continuation; a byte that can no longer become
 * part of a character is released as U+FFFD at once (maximal-subpart practice of the Unicode
 * standard, §3.9). Java's own replacing decoder differs for encoded surrogates. Not thread-safe;
 * one per turn.
 */
public final class TokenDecoder {
  private static final char REPLACEMENT = '\ufffd';

  private final Tokenizer tokenizer;
  private final boolean skipSpecial;

  /** Continuation bytes that the open character still needs; 0 = none is open. */
  private int needed;

  private int codePoint;
  private int lowest;
  private int highest;

  /**
   * @param skipSpecial leaves special tokens out
   */
  public TokenDecoder(Tokenizer tokenizer, boolean skipSpecial) {
    this.tokenizer = tokenizer;
    this.skipSpecial = skipSpecial;
  }

  /**
   * The text that is certain after this token, possibly none.
   *
   * @throws IllegalArgumentException if the id belongs to no token
   */
  public String push(int id) {
    StringBuilder text = new StringBuilder();
    byte[] bytes = tokenizer.bytes(id);
    if (tokenizer.isAdded(id)) {
      text.append(flush());
    }
    if (!(skipSpecial && tokenizer.isSpecial(id))) {
      for (byte b : bytes) {
        accept(b & 0xff, text);
      }
    }
    return text.toString();
  }

  /** What waits: U+FFFD for a character that was cut, else nothing. The decoder is then new. */
  public String flush() {
    StringBuilder text = new StringBuilder();
    replaceOpen(text);
    return text.toString();
  }

  private void accept(int b, StringBuilder text) {
    if (needed == 0) {
      start(b, text);
    } else if (b < lowest || b > highest) {
      replaceOpen(text);
      start(b, text);
    } else {
      codePoint = (codePoint << 6) | (b & 0x3f);
      lowest = 0x80;
      highest = 0xbf;
      needed--;
      if (needed == 0 && isSurrogate(codePoint)) {
        text.append(REPLACEMENT).append(REPLACEMENT).append(REPLACEMENT);
      } else if (needed == 0) {
        text.appendCodePoint(codePoint);
      }
    }
  }

  /** The open character will not be completed. */
  private void replaceOpen(StringBuilder text) {
    if (needed > 0) {
      text.append(REPLACEMENT);
    }
    if (needed == 1 && isSurrogate(codePoint << 6)) {
      text.append(REPLACEMENT); // two bytes that never were the beginning of a character
    }
    needed = 0;
  }

  /** A first byte; the limits of the second one exclude overlong forms and > U+10FFFF. */
  private void start(int b, StringBuilder text) {
    lowest = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
    highest = b == 0xf4 ? 0x8f : 0xbf;
    if (b < 0x80) {
      text.append((char) b);
    } else if (b >= 0xc2 && b <= 0xdf) {
      open(1, b & 0x1f);
    } else if (b >= 0xe0 && b <= 0xef) {
      open(2, b & 0x0f);
    } else if (b >= 0xf0 && b <= 0xf4) {
      open(3, b & 0x07);
    } else {
      text.append(REPLACEMENT);
    }
  }

  private void open(int continuationBytes, int firstBits) {
    needed = continuationBytes;
    codePoint = firstBits;
  }

  private static boolean isSurrogate(int codePoint) {
    return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
  }
}
