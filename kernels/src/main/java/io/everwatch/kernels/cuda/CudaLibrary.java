// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import jcuda.driver.JCudaDriver;

/**
 * Loads the driver's binding, once per process.
 *
 * <p>JCuda unpacks its library to a fixed name below {@code java.io.tmpdir} and loads whatever lies
 * there already, planted or of another user. It is therefore sent to a directory made for this
 * process alone while its class is initialised.
 *
 * <p>With the property {@value #EMULATION} (tests only) the stand-in driver of that folder is
 * loaded first: the dynamic linker then gives the binding the {@code libcuda.so.1} which is in the
 * process.
 */
final class CudaLibrary {
  /** Folder of {@code build-kernels.sh emu}; empty or absent: the machine's own driver. */
  static final String EMULATION = "everwatch.cuda.emulation";

  private static final String UNPACK_BELOW = "java.io.tmpdir";
  private static final String CACHE = "everwatch.cache.dir";

  /** What happened when it was loaded: a class that failed to initialise cannot be tried again. */
  private static final class Once {
    static final Optional<Throwable> FAILURE = load();
  }

  private CudaLibrary() {}

  /** The folder of the stand-in driver and its kernels, where this process uses it. */
  static Optional<Path> emulation() {
    return Optional.ofNullable(System.getProperty(EMULATION))
        .filter(folder -> !folder.isBlank())
        .map(folder -> Path.of(folder).toAbsolutePath());
  }

  /** Why the binding could not be loaded; empty when it is there. */
  static Optional<Throwable> failure() {
    return Once.FAILURE;
  }

  private static Optional<Throwable> load() {
    try {
      emulation().ifPresent(CudaLibrary::loadStandIn);
      unpackPrivately();
      return Optional.empty();
    } catch (IOException | RuntimeException | LinkageError e) {
      return Optional.of(e);
    }
  }

  private static void loadStandIn(Path folder) {
    Path library = folder.resolve("libcuda.so.1");
    if (!Files.exists(library)) {
      throw new DeviceException(
          Failure.REFUSED,
          "-D%s=%s, but there is no %s; build it with `kernels/build-kernels.sh emu` or leave the"
                  .formatted(EMULATION, folder, library)
              + " property out to use the machine's driver");
    }
    System.load(library.toString());
  }

  private static void unpackPrivately() throws IOException {
    String before = System.getProperty(UNPACK_BELOW);
    Path parent = Path.of(System.getProperty(CACHE, before));
    Files.createDirectories(parent);
    Path own =
        Files.createTempDirectory(parent, "jcuda"); // readable and writable by its owner only
    System.setProperty(UNPACK_BELOW, own.toString());
    try {
      JCudaDriver.setExceptionsEnabled(false); // initialises the class; statuses are checked here
    } finally {
      System.setProperty(UNPACK_BELOW, before);
      remove(own);
    }
  }

  /** A library that is loaded needs its file no more. */
  private static void remove(Path folder) throws IOException {
    try (var files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
