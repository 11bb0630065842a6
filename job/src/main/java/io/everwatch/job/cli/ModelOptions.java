// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which model on which device, for commands that run the engine; a mix-in. */
public final class ModelOptions {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Folder of a Qwen2.5-VL checkpoint (default: the shipped everwatch-tiny).")
  private @Nullable Path folder;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      defaultValue = "cpu",
      description = "Back end: cpu or cuda (default: ${DEFAULT-VALUE}).")
  private String backend = "cpu";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU back end (default: one per processor).")
  private int threads;

  @Option(
      names = "--streaming",
      paramLabel = "KEY=VALUE",
      description = "Overrides a setting of the model's streaming.json; repeatable.")
  private Map<String, String> streaming = new LinkedHashMap<>();

  /** The folder given, or empty for the shipped model. */
  public Optional<Path> folder() {
    return Optional.ofNullable(folder);
  }

  public String backend() {
    return backend;
  }

  public int threads() {
    return threads > 0 ? threads : Math.max(1, Runtime.getRuntime().availableProcessors());
  }

  /** Settings of the job's rank: above the model's files, below a command. */
  public Map<String, String> streaming() {
    return Map.copyOf(streaming);
  }
}
