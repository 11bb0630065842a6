// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.commons.io.FileUtils;
import org.jspecify.annotations.Nullable;

/**
 * One Java process of a cluster, with a log and a temporary directory of its own. May be killed and
 * started again; the log goes on. It does not outlive this JVM, unless that is killed itself.
 */
public final class JvmProcess implements AutoCloseable {
  private static final long STOP_SECONDS = 20;

  private final String name;
  private final Path dir;
  private final Supplier<List<String>> arguments;
  private final Map<String, String> environment;
  private @Nullable Process process;
  private int starts;

  /**
   * @param dir of the cluster
   * @param arguments of {@code java}, asked for at each start
   */
  public JvmProcess(
      String name, Path dir, Supplier<List<String>> arguments, Map<String, String> environment) {
    this.name = name;
    this.dir = dir;
    this.arguments = arguments;
    this.environment = Map.copyOf(environment);
  }

  public String name() {
    return name;
  }

  /** What it wrote since it was first started, to stdout and stderr. */
  public Path log() {
    return dir.resolve(name + ".log");
  }

  /**
   * Returns at once; whether it came up is seen from outside.
   *
   * @throws IllegalStateException when it runs
   */
  public synchronized void start() throws IOException {
    if (isAlive()) {
      throw new IllegalStateException(name + " runs already, process " + pid());
    }
    Path temporary = dir.resolve("tmp").resolve(name);
    FileUtils.deleteDirectory(temporary.toFile()); // what a killed one left
    Files.createDirectories(temporary);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Djava.io.tmpdir=" + temporary);
    command.addAll(arguments.get());
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    builder.environment().putAll(environment);
    Process started = builder.start();
    process = started;
    starts++;
    Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
  }

  public synchronized boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** Process ID of the last start. */
  public synchronized long pid() {
    return started().pid();
  }

  /** How often it was started. */
  public synchronized int starts() {
    return starts;
  }

  /** Exit status of the last start, once it has ended: 137 after {@link #kill}. */
  public synchronized int exitValue() {
    return started().exitValue();
  }

  /** SIGKILL; returns when the process is gone. */
  public synchronized void kill() throws InterruptedException {
    started().destroyForcibly().waitFor();
  }

  /** SIGTERM, then SIGKILL when that is not enough; nothing when it does not run. */
  public synchronized void stop() throws InterruptedException {
    if (process == null || !process.isAlive()) {
      return;
    }
    process.destroy();
    if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
      kill();
    }
  }

  /** The last lines of the log. */
  public String tail(int lines) {
    try {
      List<String> all = Files.readAllLines(log(), StandardCharsets.UTF_8);
      return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
    } catch (IOException e) {
      throw new UncheckedIOException(log() + " cannot be read", e);
    }
  }

  private Process started() {
    if (process == null) {
      throw new IllegalStateException(name + " was not started");
    }
    return process;
  }

  @Override
  public void close() throws InterruptedException {
    stop();
  }

  @Override
  public synchronized String toString() {
    return name + (isAlive() ? " (process " + pid() + ")" : " (not running)");
  }
}
