// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import java.io.IOException;
import java.util.Map;

/** Takes samples of a job and of the TaskManager that runs it. */
final class JobWatch implements AutoCloseable {
  private static final double MIB = 1 << 20;
  private static final String[] STAGES = {
    "stage.FRAMES.stageMicros_median",
    "stage.VISION.stageMicros_median",
    "stage.LOAD.stageMicros_median",
    "stage.PREFILL.stageMicros_median",
    "stage.DECODE.stageMicros_median",
    "stage.SAMPLE.stageMicros_median"
  };

  private final OperatorFigures operator;
  private final ProcessProbe process;
  private final long startNanos = System.nanoTime();
  private double cpuBefore;
  private long chunksBefore;

  JobWatch(OperatorFigures operator, ProcessProbe process) throws IOException {
    this.operator = operator;
    this.process = process;
    cpuBefore = process.cpuSeconds();
  }

  JobSample sample(long streamSeconds, long chunks) throws IOException, InterruptedException {
    double cpu = process.cpuSeconds();
    double cpuMillis = 1000 * (cpu - cpuBefore) / Math.max(1, chunks - chunksBefore);
    chunksBefore = chunks;
    double heap = process.heapAfterCollection() / MIB;
    cpuBefore = process.cpuSeconds(); // without the collection
    Map<String, Double> maxima = operator.maxima("engineRowsUsed", "streamPosition_max");
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
        operator.stateBytes() / 1024);
  }

  private double stages() throws IOException, InterruptedException {
    return operator.maxima(STAGES).values().stream().mapToDouble(Double::doubleValue).sum();
  }

  @Override
  public void close() throws IOException {
    process.close();
  }
}
