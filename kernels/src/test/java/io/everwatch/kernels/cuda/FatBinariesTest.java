// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** That a build which must run on a GPU has what it needs for it. */
@EnabledIfSystemProperty(
    named = "everwatch.requireNvcc",
    matches = "true",
    disabledReason = "fat binaries are not required: no -Deverwatch.requireNvcc=true")
class FatBinariesTest {
  private static final int MAGIC = 0xBA55ED50;
  private static final Path SOURCES = Path.of("src/main/cuda");

  static Stream<String> families() throws IOException {
    try (Stream<Path> files = Files.list(SOURCES)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".cu"))
          .map(name -> name.substring(0, name.length() - ".cu".length()))
          .sorted()
          .toList()
          .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void everySourceHasAWholeFatBinary(String family) {
    ByteBuffer image =
        ByteBuffer.wrap(KernelImages.fatBinaries().image(family)).order(ByteOrder.LITTLE_ENDIAN);

    assertThat(image.getInt(0)).isEqualTo(MAGIC);
    int headerBytes = image.getShort(6);
    long bodyBytes = image.getLong(8);
    assertThat(headerBytes + bodyBytes).isEqualTo(image.capacity());
  }
}
