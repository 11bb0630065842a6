// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.artifacts;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a program to its end, with a bound. */
final class Processes {
  private Processes() {}

  /** Exit status, stdout and stderr. */
  record Finished(int status, String out, String err) {}

  static Finished run(Path dir, Map<String, String> environment, Duration limit, String... command)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile(dir, "out", ".txt");
    Path err = Files.createTempFile(dir, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      if (!process.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError(
            "%s did not end within %s; it said: %s"
                .formatted(List.of(command), limit, Files.readString(err)));
      }
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    return new Finished(process.exitValue(), read(out), read(err));
  }

  /** {@code java} of this JVM with private directories for what it unpacks. */
  static Finished java(Path dir, Duration limit, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Djava.io.tmpdir=" + dir);
    command.add(
        "-Dorg.bytedeco.javacpp.cachedir=" + Path.of("target", "javacpp-it").toAbsolutePath());
    command.addAll(List.of(arguments));
    return run(dir, Map.of(), limit, command.toArray(String[]::new));
  }

  private static String read(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8);
  }
}
