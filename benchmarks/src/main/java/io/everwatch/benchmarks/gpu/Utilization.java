// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The share of time in which the device had a kernel to run, as {@code nvidia-smi} samples it;
 * nothing where there is no such program.
 */
final class Utilization implements AutoCloseable {
  private final @Nullable Process process;
  private final List<Double> percents = Collections.synchronizedList(new ArrayList<>());

  /**
   * What it was.
   *
   * @param percents one per sample
   */
  record Result(List<Double> percents) {
    Map<String, Object> figures() {
      return percents.isEmpty()
          ? Map.of()
          : Map.of(
              "idleShare",
              1 - percents.stream().mapToDouble(Double::doubleValue).average().orElse(0) / 100,
              "idleSamples",
              percents.size());
    }
  }

  private Utilization(@Nullable Process process) {
    this.process = process;
    if (process != null) {
      Thread reader = new Thread(() -> read(process), "gpu-check-utilization");
      reader.setDaemon(true);
      reader.start();
    }
  }

  static Utilization watch(Check check) {
    if (!check.onGpu() || check.emulated()) {
      return new Utilization(null);
    }
    try {
      return new Utilization(
          new ProcessBuilder(
                  "nvidia-smi",
                  "--id=" + check.device().index(),
                  "--query-gpu=utilization.gpu",
                  "--format=csv,noheader,nounits",
                  "--loop-ms=200")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start());
    } catch (IOException e) {
      System.err.println("gpu-check: no nvidia-smi, idle time is not looked at: " + e.getMessage());
      return new Utilization(null);
    }
  }

  private void read(Process from) {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(from.getInputStream(), StandardCharsets.US_ASCII))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.strip().matches("\\d+")) {
          percents.add(Double.valueOf(line.strip()));
        }
      }
    } catch (IOException ended) {
      // with its process
    }
  }

  /** So far, without the first samples, which look back to what was before. */
  Result result() {
    synchronized (percents) {
      return new Result(
          List.copyOf(percents.subList(Math.min(3, percents.size()), percents.size())));
    }
  }

  @Override
  public void close() {
    if (process != null) {
      process.destroy();
    }
  }
}
