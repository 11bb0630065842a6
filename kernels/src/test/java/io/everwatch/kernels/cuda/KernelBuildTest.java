// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KernelBuildTest {
  @Test
  void knowsEveryFileOfKernels() throws IOException {
    // The bundle for a machine with a GPU carries the tests without the sources.
    assumeTrue(Files.isDirectory(Path.of("src/main")), "the sources are not here");
    List<String> known =
        Stream.concat(KernelBuild.FAMILIES.stream(), KernelBuild.HOPPER.stream()).toList();
    try (Stream<Path> files = Files.list(Path.of("src/main/cuda"))) {
      assertThat(
              files
                  .map(file -> file.getFileName().toString())
                  .filter(name -> name.endsWith(".cu"))
                  .map(name -> name.substring(0, name.length() - 3)))
          .containsExactlyInAnyOrderElementsOf(known);
    }
  }

  @Test
  @RequiresDevice
  void tellsOneBuildFromAnother() {
    try (CudaDevice device = CudaDevice.open(0)) {
      KernelImages images = KernelImages.standard();
      String digest = KernelBuild.digest(device, images);
      assertThat(digest).matches("[0-9a-f]{16}").isEqualTo(KernelBuild.digest(device, images));
    }
  }
}
