// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;

/**
 * Where attention of one span over chosen blocks keeps what, in bytes; the {@code sparse_*.cu}
 * files have the shapes. Two areas: what was chosen, which each span of a batch keeps for itself,
 * and what a layer of one span needs while it runs, which all share. In the latter the attention's
 * partial results lie over what the choice was made from.
 */
record SparseLayout(KvShape shape, BlockGrid grid, boolean plain) {
  /** MOST_BLOCKS of common/sparse.cuh. */
  static final int MOST_BLOCKS = 4096;

  /** A SparseHead of common/sparse.cuh. */
  static final int HEAD_BYTES = 48;

  /** Tiles of keys of one block of sparse_stats; PART_TILES of sparse_probe.cu. */
  static final int PART_TILES = 16;

  private static final int MOST_PROBES = 128;
  private static final int DIAGONALS = 192;

  // Rows are cut into parts where there are fewer than this: some for every multiprocessor of any
  // device, since the number of parts decides bits.
  private static final int WANTED_ITEMS = 512;
  private static final int MOST_PARTS = 16;

  static SparseLayout of(KvShape shape, BlockGrid grid, DType dtype) {
    return new SparseLayout(shape, grid, dtype == DType.F32);
  }

  SparseLayout {
    if (grid.blocks() > MOST_BLOCKS) {
      throw new IllegalArgumentException(
          "sparse prefill: %d rows are %d key blocks of %d; expected at most %d blocks, %,d rows; take larger blocks or dense attention"
              .formatted(
                  grid.keys(),
                  grid.blocks(),
                  grid.block(),
                  MOST_BLOCKS,
                  (long) MOST_BLOCKS * grid.block()));
    }
  }

  private int heads() {
    return shape.heads();
  }

  /** Tiles of 64 keys. */
  int tiles() {
    return Launches.ceil(grid.keys(), StepTables.WORK_BLOCK_ROWS);
  }

  /** Pieces of the probe's statistics. */
  int statParts() {
    return Launches.ceil(tiles(), PART_TILES);
  }

  int words() {
    return BlockMask.words(grid.blocks());
  }

  /** (query head, row block) pairs. */
  int items() {
    return heads() * grid.rows();
  }

  /** The most parts that a row block's keys are cut into. */
  int parts() {
    return plain ? 1 : Math.max(1, Math.min(MOST_PARTS, WANTED_ITEMS / items()));
  }

  // --- kept by each span, from its own beginning ---

  /** f32 [3][H][nb], behind the heads. */
  long masses() {
    return Slab.padded((long) HEAD_BYTES * heads());
  }

  /** int [2][H][words]. */
  long picked() {
    return masses() + Slab.padded(12L * heads() * grid.blocks());
  }

  /** int [H][R][words]. */
  long mask() {
    return picked() + Slab.padded(8L * heads() * words());
  }

  /** f32 [n][H]. */
  long lse() {
    return mask() + Slab.padded(4L * items() * words());
  }

  long keptBytes() {
    return lse() + Slab.padded(4L * grid.queries() * heads());
  }

  // --- shared by all spans ---

  /** int [H R], behind the counts of the same size. */
  long order() {
    return Slab.padded(4L * items());
  }

  /** f32 [K][nb][D]. */
  long pooledKeys() {
    return 2 * order();
  }

  /** f32 [H][R + 1][D]. */
  long pooledQueries() {
    return pooledKeys() + Slab.padded(4L * shape.kvHeads() * grid.blocks() * shape.headDim());
  }

  /** float2 [parts][H][128]. */
  long stats() {
    return pooledQueries() + Slab.padded(4L * heads() * (grid.rows() + 1) * shape.headDim());
  }

  /** float2 [H][128]. */
  long probeRows() {
    return stats() + Slab.padded(8L * MOST_PROBES * statParts() * heads());
  }

  /** f32 [H][tiles * 64]. */
  long columns() {
    return probeRows() + Slab.padded(8L * MOST_PROBES * heads());
  }

  /** f32 [H][tiles * 64]. */
  long distances() {
    return columns() + perKey();
  }

  /** f32 [H][tiles][192]. */
  long diagonals() {
    return distances() + perKey();
  }

  /** f32 [H][R][nb]. */
  long map() {
    return diagonals() + Slab.padded(4L * DIAGONALS * heads() * tiles());
  }

  private long perKey() {
    return Slab.padded(4L * StepTables.WORK_BLOCK_ROWS * heads() * tiles());
  }

  /** float2 [H R][parts][B]; over the pooled keys and all behind them. */
  long sums() {
    return pooledKeys();
  }

  /** f32 [H R][parts][B][D]. */
  long partial() {
    return sums() + Slab.padded(8L * rowsOfParts());
  }

  private long rowsOfParts() {
    return parts() == 1 ? 0 : (long) items() * parts() * grid.block();
  }

  long sharedBytes() {
    return Math.max(
        map() + Slab.padded(4L * items() * grid.blocks()),
        partial() + Slab.padded(4L * shape.headDim() * rowsOfParts()));
  }
}
