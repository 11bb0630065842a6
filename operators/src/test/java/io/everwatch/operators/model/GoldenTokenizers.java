// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** The small and the published tokenizer of the fixtures. */
final class GoldenTokenizers {
  private static final Tokenizer TINY =
      TokenizerFile.read(GoldenFolder.TINY_A.resolve("tokenizer.json"));
  private static final Tokenizer PUBLISHED = unpack();

  private GoldenTokenizers() {}

  /**
   * @param name {@code tiny} or {@code qwen2_5}, as in the names of the fixtures
   */
  static Tokenizer named(String name) {
    return switch (name) {
      case "tiny" -> TINY;
      case "qwen2_5" -> PUBLISHED;
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static Tokenizer unpack() {
    try {
      Path file = Files.createTempFile("tokenizer", ".json");
      try (InputStream in =
          new GZIPInputStream(
              Files.newInputStream(
                  GoldenFolder.QWEN.resolve("tokenizer/qwen2_5_tokenizer.json.gz")))) {
        Files.write(file, in.readAllBytes());
        return TokenizerFile.read(file);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
