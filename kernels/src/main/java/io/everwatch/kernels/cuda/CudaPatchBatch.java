// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.PatchBatch;
import io.everwatch.kernels.cuda.CudaSegmentAttention.PatchTable;

/** A patch table that belongs to a step of its arena. */
record CudaPatchBatch(PatchTable table, CudaArena arena, long step) implements PatchBatch {
  @Override
  public int patches() {
    return table.patches();
  }

  @Override
  public int headDim() {
    return table.headDim();
  }

  /** The table, while its memory is there. */
  static PatchTable of(PatchBatch batch, String operation) {
    if (!(batch instanceof CudaPatchBatch mine)) {
      throw new IllegalArgumentException(
          "%s: the patches are a %s; expected a batch of the cuda back end"
              .formatted(operation, batch.getClass().getName()));
    }
    if (mine.arena.step() != mine.step) {
      throw new IllegalArgumentException(
          "%s: the batch of %d patches was given back when its arena was reset or closed; make one for each pass"
              .formatted(operation, mine.patches()));
    }
    return mine.table;
  }
}
