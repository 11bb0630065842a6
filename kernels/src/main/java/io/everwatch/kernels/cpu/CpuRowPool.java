// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.PendingRows;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;

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
  public DType dtype() {
    return DType.F32;
  }

  @Override
  public void write(int[] slots, byte[][] from) {
    if (from.length != slots.length) {
      throw new IllegalArgumentException(
          "row pool: %d rows for %d slots; expected one for each"
              .formatted(from.length, slots.length));
    }
    for (int i = 0; i < slots.length; i++) {
      if (from[i].length != rowBytes()) {
        throw new IllegalArgumentException(
            "row pool: row %d has %d bytes; expected %d, %d values of float32; is it of another model?"
                .formatted(i, from[i].length, rowBytes(), elements));
      }
      RowValues.floats(from[i]).get(row(slots[i]));
    }
  }

  /** Copies at once: a slot may be used again before anybody asks for its row. */
  @Override
  public PendingRows read(int[] slots) {
    byte[][] copies = new byte[slots.length][];
    for (int i = 0; i < slots.length; i++) {
      copies[i] = RowValues.bytes(row(slots[i]));
    }
    return PendingRows.of(copies);
  }

  @Override
  public void close() {
    rows = new float[0][];
  }
}
