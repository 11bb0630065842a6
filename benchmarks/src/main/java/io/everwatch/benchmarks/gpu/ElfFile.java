// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/**
 * Names in the dynamic symbol table of a 64-bit little-endian library (System V ABI, chapter 4).
 */
final class ElfFile {
  private static final int MAGIC = 0x464C457F;
  private static final int DYNAMIC_SYMBOLS = 11;
  private static final int SYMBOL_BYTES = 24;

  private final String name;
  private final ByteBuffer bytes;

  private ElfFile(String name, ByteBuffer bytes) {
    this.name = name;
    this.bytes = bytes;
  }

  static ElfFile open(Path path) throws IOException {
    return of(path.toString(), Files.readAllBytes(path));
  }

  /**
   * A library that was read.
   *
   * @param name for messages
   */
  static ElfFile of(String name, byte[] content) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.limit() < 64 || bytes.getInt(0) != MAGIC || bytes.get(4) != 2) {
      throw new IOException(name + " is no 64-bit ELF file");
    }
    return new ElfFile(name, bytes);
  }

  /** Names that it offers to others. */
  Set<String> defined() throws IOException {
    return names(false);
  }

  /** Names that it wants from others. */
  Set<String> undefined() throws IOException {
    return names(true);
  }

  private Set<String> names(boolean undefined) throws IOException {
    long sections = bytes.getLong(0x28);
    int size = bytes.getShort(0x3A);
    int count = bytes.getShort(0x3C);
    for (int i = 0; i < count; i++) {
      int section = Math.toIntExact(sections + (long) i * size);
      if (bytes.getInt(section + 4) == DYNAMIC_SYMBOLS) {
        int strings = Math.toIntExact(sections + (long) bytes.getInt(section + 0x28) * size);
        return names(section, offset(strings), undefined);
      }
    }
    throw new IOException(name + " has no table of dynamic symbols");
  }

  private Set<String> names(int section, int strings, boolean undefined) {
    Set<String> names = new TreeSet<>();
    int first = offset(section);
    long end = first + bytes.getLong(section + 0x20);
    for (int symbol = first; symbol < end; symbol += SYMBOL_BYTES) {
      if ((bytes.getShort(symbol + 6) == 0) == undefined) {
        names.add(string(strings + bytes.getInt(symbol)));
      }
    }
    return names;
  }

  private int offset(int section) {
    return Math.toIntExact(bytes.getLong(section + 0x18));
  }

  private String string(int from) {
    int to = from;
    while (bytes.get(to) != 0) {
      to++;
    }
    return new String(bytes.array(), bytes.arrayOffset() + from, to - from, StandardCharsets.UTF_8);
  }
}
