// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Optional;

/**
 * The stand-in character of each byte in the files of a byte-level tokenizer (Qwen2.5-VL §13.1.4):
 * bytes 33-126, 161-172 and 174-255 stand for themselves, the other 68, in increasing order, for
 * U+0100 and up.
 */
final class ByteAlphabet {
  private static final int LIMIT = 256 + 68;

  private static final char[] CHARACTERS = new char[256];
  private static final short[] BYTES = new short[LIMIT];

  static {
    Arrays.fill(BYTES, (short) -1);
    char next = 256;
    for (int b = 0; b < 256; b++) {
      boolean itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      CHARACTERS[b] = itself ? (char) b : next++;
      BYTES[CHARACTERS[b]] = (short) b;
    }
  }

  private ByteAlphabet() {}

  static String character(int b) {
    return String.valueOf(CHARACTERS[b]);
  }

  /** The bytes that {@code token} stands for; empty if some character stands for none. */
  static Optional<byte[]> bytes(String token) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(token.length());
    for (int i = 0; i < token.length(); i++) {
      char c = token.charAt(i);
      if (c >= LIMIT || BYTES[c] < 0) {
        return Optional.empty();
      }
      bytes.write(BYTES[c]);
    }
    return Optional.of(bytes.toByteArray());
  }
}
