// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import java.util.Locale;

/**
 * What a running job looked like at a moment.
 *
 * @param wallSeconds since the first frame
 * @param streamSeconds of video that every stream has had answered
 * @param chunks answered, of all streams
 * @param rows cached rows of the engine
 * @param position largest of the last rounds
 * @param heapMiB after a full collection
 * @param residentMiB of the process
 * @param directMiB of direct buffers
 * @param threads of the process
 * @param cpuMillis processor time of the process per chunk since the sample before
 * @param modelMillis sum of the median stages of the last 2048 rounds
 * @param stateKiB of the last complete checkpoint, all of it
 */
record JobSample(
    double wallSeconds,
    long streamSeconds,
    long chunks,
    double rows,
    double position,
    double heapMiB,
    double residentMiB,
    double directMiB,
    int threads,
    double cpuMillis,
    double modelMillis,
    double stateKiB) {
  static final String HEAD =
      "| wall clock | video per stream | chunks | rows | position | heap after GC, MiB | resident, MiB"
          + " | direct, MiB | threads | CPU per chunk, ms | model per chunk, ms | checkpoint, KiB |\n"
          + "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";

  /** One row of a table below {@link #HEAD}. */
  String row() {
    return String.format(
        Locale.ROOT,
        "| %.1f min | %d:%02d h | %,d | %.0f | %.0f | %.1f | %.0f | %.1f | %d | %.1f | %.1f | %.0f |",
        wallSeconds / 60,
        streamSeconds / 3600,
        streamSeconds / 60 % 60,
        chunks,
        rows,
        position,
        heapMiB,
        residentMiB,
        directMiB,
        threads,
        cpuMillis,
        modelMillis,
        stateKiB);
  }
}
