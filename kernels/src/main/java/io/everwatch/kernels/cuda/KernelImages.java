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
  /** How the jar gets its fat binaries. */
  String BUILD =
      "build it with CUDA's compiler (nvcc, release 13.0) on the PATH:"
          + " mvn package -Deverwatch.nvcc=true";

  /**
   * The image of the kernel family {@code name} as {@code cuModuleLoadData} takes it.
   *
   * @throws DeviceException of class REFUSED when it was not built; the message names the step
   */
  byte[] image(String name);

  /** Whether {@link #image} has it. */
  boolean has(String name);

  /** Fat binaries on the class path, or in emulation the plain modules of its folder. */
  static KernelImages standard() {
    return CudaLibrary.emulation()
        .map(folder -> inFolder(folder, ".emu.so"))
        .orElseGet(KernelImages::fatBinaries);
  }

  /** Of the class path, for a real device. */
  static KernelImages fatBinaries() {
    return new Packed();
  }

  /** Files NAME + ending of a folder. */
  static KernelImages inFolder(Path folder, String ending) {
    return new InFolder(folder, ending);
  }

  /** Resources beside this class. */
  record Packed() implements KernelImages {
    @Override
    public boolean has(String name) {
      return KernelImages.class.getResource(name + ".fatbin") != null;
    }

    @Override
    public byte[] image(String name) {
      try (InputStream in = KernelImages.class.getResourceAsStream(name + ".fatbin")) {
        if (in == null) {
          throw new DeviceException(
              Failure.REFUSED,
              "the fat binary %s.fatbin is not in the jar, which was built without nvcc; %s"
                  .formatted(name, BUILD));
        }
        return in.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read the fat binary " + name, e);
      }
    }
  }

  /** Modules of the stand-in driver. */
  record InFolder(Path folder, String ending) implements KernelImages {
    @Override
    public boolean has(String name) {
      return Files.exists(folder.resolve(name + ending));
    }

    @Override
    public byte[] image(String name) {
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
    }
  }
}
