// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A command of {@code everwatch-all.jar} as a process of its own; its output goes to a file. */
final class Jvm implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(25);

  private final String name;
  private final Path log;
  private final Process process;

  private Jvm(String name, Path log, Process process) {
    this.name = name;
    this.log = log;
    this.process = process;
  }

  /**
   * Starts it.
   *
   * @param dir for its log, its temporary files and, shared by all, what natives are unpacked to
   * @param flags of the JVM
   */
  static Jvm start(Path dir, String name, Path jar, List<String> flags, String... arguments)
      throws IOException {
    Path temporary = Files.createDirectories(dir.resolve("tmp").resolve(name));
    Path cache = Files.createDirectories(dir.resolve("cache"));
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwx------"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Djava.io.tmpdir=" + temporary);
    command.add("-Dorg.bytedeco.javacpp.cachedir=" + cache.resolve("javacpp"));
    command.add("-Deverwatch.cache.dir=" + cache);
    command.addAll(flags);
    command.addAll(List.of("-jar", jar.toString()));
    command.addAll(List.of(arguments));
    Path log = dir.resolve(name + ".log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    return new Jvm(name, log, process);
  }

  long pid() {
    return process.pid();
  }

  /** Fails with the end of its log when it has ended by itself. */
  void requireAlive() throws IOException {
    if (!process.isAlive()) {
      List<String> said = Files.readAllLines(log);
      throw new IOException(
          "%s ended with %d; it said last: %s"
              .formatted(
                  name,
                  process.exitValue(),
                  String.join("\n", said.subList(Math.max(0, said.size() - 20), said.size()))));
    }
  }

  /** Asks it to end, then makes it. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process.destroyForcibly();
  }
}
