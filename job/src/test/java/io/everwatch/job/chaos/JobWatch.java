// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** Takes samples of a job in a process of its own. */
final class JobWatch implements AutoCloseable {
  private static final double MIB = 1 << 20;
  private static final List<String> STAGES =
      List.of(
          "stage.FRAMES.stageMicros_median",
          "stage.VISION.stageMicros_median",
          "stage.LOAD.stageMicros_median",
          "stage.PREFILL.stageMicros_median",
          "stage.DECODE.stageMicros_median",
          "stage.SAMPLE.stageMicros_median");

  private final FlinkRest rest;
  private final String job;
  private final ProcessProbe process;
  private final long startNanos = System.nanoTime();
  private double cpuBefore;
  private long chunksBefore;

  JobWatch(FlinkRest rest, String job, ProcessProbe process) throws IOException {
    this.rest = rest;
    this.job = job;
    this.process = process;
    cpuBefore = process.cpuSeconds();
  }

  JobSample sample(long streamSeconds, long chunks) throws IOException {
    double cpu = process.cpuSeconds();
    double cpuMillis = 1000 * (cpu - cpuBefore) / Math.max(1, chunks - chunksBefore);
    chunksBefore = chunks;
    double heap = process.heapAfterCollection() / MIB;
    cpuBefore = process.cpuSeconds(); // without the collection
    Map<String, Double> maxima =
        rest.operatorMaxima(job, List.of("engineRowsUsed", "streamPosition_max"));
    return new JobSample(
        (System.nanoTime() - startNanos) / 1e9,
        streamSeconds,
        chunks,
        maxima.getOrDefault("engineRowsUsed", Double.NaN),
        maxima.getOrDefault("streamPosition_max", Double.NaN),
        heap,
        process.residentBytes() / MIB,
        process.directBytes() / MIB,
        process.threads(),
        cpuMillis,
        stages() / 1000,
        stateBytes() / 1024);
  }

  private double stages() throws IOException {
    return rest.operatorMaxima(job, STAGES).values().stream()
        .mapToDouble(Double::doubleValue)
        .sum();
  }

  private double stateBytes() throws IOException {
    JsonNode completed = rest.checkpoints(job).path("latest").path("completed");
    return completed.path("state_size").asDouble(Double.NaN);
  }

  @Override
  public void close() throws IOException {
    process.close();
  }
}
