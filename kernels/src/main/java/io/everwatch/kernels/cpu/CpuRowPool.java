// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;

/**
 * Cached rows on the heap, one array {@code [layers][2][kvHeads * headDim]} per slot, made when the
 * slot is first used: a pool may be large and hardly filled.
 */
final class CpuRowPool implements RowPool {
  private final KvShape shape;
  private final int width; // kvHeads * headDim
  private final int elements;
  private float[][] rows;

  CpuRowPool(KvShape shape, int slots) {
    if (slots < 1) {
      throw new IllegalArgumentException(
          "row pool: %d slots; expected at least one".formatted(slots));
    }
    this.shape = shape;
    this.width = Math.multiplyExact(shape.kvHeads(), shape.headDim());
    this.elements = Math.toIntExact(shape.rowElements());
    rows = new float[slots][];
  }

  @Override
  public KvShape shape() {
    return shape;
  }

  @Override
  public int slots() {
    return rows.length;
  }

  /** Width of K or V of one layer. */
  int width() {
    return width;
  }

  /** The row in {@code slot}; K of a layer at {@code 2 * layer * width()}, V behind it. */
  float[] row(int slot) {
    if (slot < 0 || slot >= rows.length) {
      throw new IllegalArgumentException(
          rows.length == 0
              ? "row pool: used after close"
              : "row pool: no slot %d; expected 0 to %d".formatted(slot, rows.length - 1));
    }
    float[] row = rows[slot];
    if (row == null) { // a context asks for every slot before any thread of a product does
      row = CpuArena.newArray(elements, "row pool of %d slots".formatted(rows.length));
      rows[slot] = row;
    }
    return row;
  }

  @Override
  public void read(int slot, float[] to, int at) {
    float[] row = row(slot);
    System.arraycopy(row, 0, to, at, row.length);
  }

  @Override
  public void write(int slot, float[] from, int at) {
    float[] row = row(slot);
    System.arraycopy(from, at, row, 0, row.length);
  }

  @Override
  public void close() {
    rows = new float[0][];
  }
}
