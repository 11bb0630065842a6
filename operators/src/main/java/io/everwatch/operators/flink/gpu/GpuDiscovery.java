// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink.gpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which GPUs a TaskManager offers to its task slots: those that {@value #VARIABLE} names, else
 * those that its configuration names, else all that this process sees, which are those of {@code
 * CUDA_VISIBLE_DEVICES} or of the kernel driver's device nodes. The CUDA library itself is not
 * asked: it is loaded once per process, by the runtime.
 */
public final class GpuDiscovery {
  /** Of a process of its own, so that two TaskManagers of one machine take different GPUs. */
  public static final String VARIABLE = "EVERWATCH_GPUS";

  /** In the configuration, below {@code external-resource.gpu.param.} */
  static final String PARAMETER = "indexes";

  /** In the place of indexes: no GPU. */
  private static final String NONE = "none";

  private static final String VISIBLE = "CUDA_VISIBLE_DEVICES";
  private static final String NODES = "nvidia\\d+";

  private final Map<String, String> environment;
  private final Path devices;

  GpuDiscovery(Map<String, String> environment, Path devices) {
    this.environment = environment;
    this.devices = devices;
  }

  public static GpuDiscovery ofThisProcess() {
    return new GpuDiscovery(System.getenv(), Path.of("/dev"));
  }

  /**
   * GPUs, and who says so.
   *
   * @param chosen whether somebody named them, and did not just leave them in sight
   */
  private record Found(List<Integer> indexes, String source, boolean chosen) {}

  /**
   * The GPUs that a TaskManager offers.
   *
   * @param configured value of {@code external-resource.gpu.param.indexes}; empty: not set
   * @param amount value of {@code external-resource.gpu.amount}
   * @throws IllegalArgumentException when they are not so many, or cannot be read; Flink then
   *     registers the TaskManager without a GPU, and operators that need one refuse to open there
   */
  Set<Gpu> offer(String configured, long amount) {
    Found found = find(configured);
    if (found.chosen && found.indexes.isEmpty()) {
      return Set.of();
    }
    if (found.indexes.size() != amount) {
      throw new IllegalArgumentException(
          "%s: %d (%s); expected external-resource.gpu.amount, %d; %s"
              .formatted(
                  found.source,
                  found.indexes.size(),
                  join(found.indexes),
                  amount,
                  found.indexes.size() < amount
                      ? "name GPUs that are there, or lower the amount; nvidia-smi lists them"
                      : "say which of them this TaskManager takes, such as %s=%d in its environment"
                          .formatted(VARIABLE, found.indexes.get(0))));
    }
    return found.indexes.stream().map(Gpu::new).collect(Collectors.toUnmodifiableSet());
  }

  /** What a TaskManager that started in this environment would offer, for people. */
  public String describe() {
    try {
      Found found = find("");
      return "%s: %s".formatted(found.source, join(found.indexes));
    } catch (IllegalArgumentException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private Found find(String configured) {
    String own = environment.getOrDefault(VARIABLE, "");
    if (!own.isBlank()) {
      return new Found(indexes(own, VARIABLE), "GPUs that " + VARIABLE + " names", true);
    }
    if (!configured.isBlank()) {
      String key = "external-resource.gpu.param." + PARAMETER;
      return new Found(indexes(configured, key), "GPUs that " + key + " names", true);
    }
    @Nullable String visible = environment.get(VISIBLE);
    return visible != null
        ? new Found(upTo(visible(visible)), "GPUs that " + VISIBLE + " leaves in sight", false)
        : new Found(upTo(nodes()), "GPUs in " + devices, false);
  }

  private static List<Integer> indexes(String text, String source) {
    if (text.strip().equals(NONE)) {
      return List.of();
    }
    try {
      List<Integer> indexes =
          Arrays.stream(text.split(",", -1)).map(String::strip).map(Integer::valueOf).toList();
      if (indexes.stream().distinct().count() == indexes.size()
          && indexes.stream().allMatch(index -> index >= 0)) {
        return indexes;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new IllegalArgumentException(
        "%s is '%s'; expected indexes of GPUs, such as 0 or 0,1, or %s; correct it"
            .formatted(source, text, NONE));
  }

  /** CUDA sees those before the first entry that is no device, and counts them anew from 0. */
  private static int visible(String text) {
    return (int)
        Arrays.stream(text.split(",", -1))
            .map(String::strip)
            .takeWhile(entry -> !entry.isEmpty() && !entry.startsWith("-"))
            .count();
  }

  private int nodes() {
    try (Stream<Path> files = Files.list(devices)) {
      return (int) files.filter(file -> String.valueOf(file.getFileName()).matches(NODES)).count();
    } catch (IOException e) {
      return 0; // no such folder, no devices
    }
  }

  private static List<Integer> upTo(int count) {
    return IntStream.range(0, count).boxed().toList();
  }

  private static String join(List<Integer> indexes) {
    return indexes.isEmpty()
        ? NONE
        : indexes.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }
}
