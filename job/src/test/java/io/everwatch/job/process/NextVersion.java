// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;

/** The same build under another version: what an upgrade looks like to the job's checks. */
final class NextVersion {
  private static final String RUNTIME = "/io/everwatch/operators/flink/runtime.properties";
  private static final String JOB = "/io/everwatch/job/version.properties";

  private NextVersion() {}

  static Path ofRuntime(Path dir) throws IOException {
    return copy(FlinkHome.RUNTIME, RUNTIME, dir);
  }

  static Path ofJob(Path dir) throws IOException {
    return copy(FlinkHome.JOB, JOB, dir);
  }

  private static Path copy(Path jar, String properties, Path dir) throws IOException {
    Path copy = Files.copy(jar, dir.resolve("next-" + jar.getFileName()));
    try (FileSystem files = FileSystems.newFileSystem(copy)) {
      Path file = files.getPath(properties);
      Files.writeString(
          file, Files.readString(file).replaceAll("(?m)^version=.*$", "version=next"));
    }
    return copy;
  }
}
