// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.SparseCounters;
import java.nio.ByteBuffer;

/**
 * What sparse prefill attention did on a device so far. Each pool has its counts there,
 * SparseCounts of {@code sparse_rows.cu}; they come over with the tokens of a sampling, and what
 * was added since the last time is added here. Written by the stream's thread, read by any.
 */
final class SparseTotals {
  /** Of one pool's counts. */
  static final int BYTES = 64;

  private static final double KEPT_UNIT = 0x1p-20;

  private volatile SparseCounters total = SparseCounters.NONE;

  SparseCounters read() {
    return total;
  }

  /** Takes the counts of a pool, {@value #BYTES} bytes from the position on. */
  void arrived(CudaRowPool pool, ByteBuffer counts) {
    SparseCounters now =
        new SparseCounters(
            counts.getLong(0),
            counts.getLong(8),
            counts.getLong(16),
            counts.getLong(24),
            counts.getLong(32),
            counts.getLong(40) * KEPT_UNIT,
            counts.getLong(48));
    SparseCounters added = now.since(pool.sparseCounts());
    if (added.spans() > 0) {
      pool.sparseCounts(now);
      SparseCounters before = total;
      total =
          new SparseCounters(
              before.spans() + added.spans(),
              before.verticalSlash() + added.verticalSlash(),
              before.queryAware() + added.queryAware(),
              before.chosenCells() + added.chosenCells(),
              before.causalCells() + added.causalCells(),
              before.keptMass() + added.keptMass(),
              before.keptSamples() + added.keptSamples());
    }
  }
}
