// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Places of the fixtures, relative to the module, and copies of the small checkpoints. */
public final class GoldenFolder {
  /** Fixtures of the published model; its README says what is in them. */
  public static final Path QWEN = Path.of("src/test/golden/qwen2_5_vl");

  /** One file, published names, flat configuration. */
  public static final Path TINY_A = QWEN.resolve("tiny_a");

  /** Three shards, newer names, nested configuration, tied embeddings. */
  public static final Path TINY_B = QWEN.resolve("tiny_b");

  private GoldenFolder() {}

  /** A copy of a folder's files that a test may damage. */
  public static Path copy(Path folder, Path to) throws IOException {
    Files.createDirectories(to);
    List<Path> files;
    try (Stream<Path> listed = Files.list(folder)) {
      files = listed.toList();
    }
    for (Path file : files) {
      Files.copy(file, to.resolve(file.getFileName()));
    }
    return to;
  }
}
