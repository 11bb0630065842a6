// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ElfFileTest {
  @TempDir private Path dir;

  @Test
  void tellsWhatALibraryOffersFromWhatItWants() throws Exception {
    Path java = Path.of(System.getProperty("java.home"), "lib", "libjava.so");
    assumeThat(java).as("Java's own library").exists();

    ElfFile library = ElfFile.open(java);

    assertThat(library.defined())
        .contains("JNU_ThrowByName")
        .doesNotContain("JVM_CurrentTimeMillis");
    assertThat(library.undefined())
        .contains("JVM_CurrentTimeMillis")
        .doesNotContain("JNU_ThrowByName");
  }

  @Test
  void refusesWhatIsNoLibrary() throws Exception {
    Path text = Files.writeString(dir.resolve("text"), "x".repeat(100));

    assertThatThrownBy(() -> ElfFile.open(text))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is no 64-bit ELF file");
  }
}
