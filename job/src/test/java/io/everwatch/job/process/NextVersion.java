// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;

/** The same build under another version: what an upgrade looks like to the job's checks. */
final class NextVersion {
  private static final String VERSION = "/io/everwatch/operators/flink/runtime.properties";

  private NextVersion() {}

  /** A copy of the runtime jar that calls itself the version after. */
  static Path of(Path runtime, Path dir) throws IOException {
    Path copy = Files.copy(runtime, dir.resolve("everwatch-runtime-next.jar"));
    try (FileSystem jar = FileSystems.newFileSystem(copy)) {
      Path file = jar.getPath(VERSION);
      Files.writeString(file, Files.readString(file).replaceAll("(?m)^version=.*$", "version=next"));
    }
    return copy;
  }
}
