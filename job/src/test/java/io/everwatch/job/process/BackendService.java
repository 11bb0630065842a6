// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import io.everwatch.kernels.BackendProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes a provider of the tests a back end of a process, and of no other. */
final class BackendService {
  /** Where the provider's class is. */
  static final Path CLASSES = Path.of("target/test-classes").toAbsolutePath();

  private BackendService() {}

  /** A folder for a class path, before {@link #CLASSES} and the runtime. */
  static Path folder(Path dir, Class<? extends BackendProvider> provider) throws IOException {
    Path folder = dir.resolve("services");
    Path file = folder.resolve("META-INF/services").resolve(BackendProvider.class.getName());
    Files.createDirectories(file.getParent());
    Files.writeString(file, provider.getName());
    return folder;
  }
}
