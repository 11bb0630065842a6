// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.nio.charset.StandardCharsets;

/** Bounds on text that goes into a record. */
final class Texts {
  private static final String CUT = "…";

  private Texts() {}

  /** The text, cut between two characters to {@code maxBytes} of UTF-8, the ellipsis included. */
  static String bounded(String text, int maxBytes) {
    if (text.length() <= maxBytes / 3 || text.getBytes(StandardCharsets.UTF_8).length <= maxBytes) {
      return text;
    }
    int left = maxBytes - CUT.getBytes(StandardCharsets.UTF_8).length;
    int end = 0;
    while (end < text.length()) {
      int codePoint = text.codePointAt(end);
      left -= bytesOf(codePoint);
      if (left < 0) {
        break;
      }
      end += Character.charCount(codePoint);
    }
    return text.substring(0, end) + CUT;
  }

  private static int bytesOf(int codePoint) {
    if (codePoint < 0x80) {
      return 1;
    }
    if (codePoint < 0x800) {
      return 2;
    }
    return codePoint < 0x10000 ? 3 : 4;
  }
}
