// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where compiled kernels come from. */
interface KernelImages {
  /**
   * The image of the kernel family {@code name} as {@code cuModuleLoadData} takes it.
   *
   * @throws DeviceException of class REFUSED when it was not built; the message names the step
   */
  byte[] image(String name);

  /** Fat binaries on the class path, or in emulation the plain modules of its folder. */
  static KernelImages standard() {
    return CudaLibrary.emulation().map(f -> inFolder(f, ".emu.so")).orElse(KernelImages::packed);
  }

  /** Files NAME + ending of a folder. */
  static KernelImages inFolder(Path folder, String ending) {
    return name -> {
      Path file = folder.resolve(name + ending);
      if (!Files.exists(file)) {
        throw new DeviceException(
            Failure.REFUSED,
            "there is no %s; build it with `kernels/build-kernels.sh emu %s` (needs g++)"
                .formatted(file, name));
      }
      try {
        return Files.readAllBytes(file);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + file, e);
      }
    };
  }

  private static byte[] packed(String name) {
    try (InputStream in = KernelImages.class.getResourceAsStream(name + ".fatbin")) {
      if (in == null) {
        throw new DeviceException(
            Failure.REFUSED,
            "the fat binary %s.fatbin is not in the jar: it was built on a machine without nvcc;"
                    .formatted(name)
                + " build again with CUDA's compiler (release 13.0) on the PATH:"
                + " mvn package -Deverwatch.nvcc=true");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the fat binary " + name, e);
    }
  }
}
