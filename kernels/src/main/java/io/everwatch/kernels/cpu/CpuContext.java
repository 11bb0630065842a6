// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Context;
import io.everwatch.kernels.KvShape;
import java.util.Arrays;

/** One stream's rows in the order of its memory, and the working copy made of them. */
final class CpuContext implements Context {
  /** Rows gathered at a time: their K and V of all layers stay in the second-level cache. */
  private static final int TILE_ROWS = 32;

  private final CpuRowPool pool;
  private final RotaryTable rotary;
  private final KvCopy copy;
  private int[] slots = new int[0];
  private float[] factors = new float[0]; // [rows, headDim]: cosines, then sines, of each pair
  private int rows;
  private int loaded; // rows below this one were loaded, not computed in this chunk
  private final float[][] tileKeys; // [layers][TILE_ROWS * width]
  private final float[][] tileValues;
  private boolean closed;

  CpuContext(CpuRowPool pool, RotaryTable rotary, KvCopy copy) {
    this.pool = pool;
    this.rotary = rotary;
    this.copy = copy;
    this.tileKeys = new float[pool.shape().layers()][TILE_ROWS * pool.width()];
    this.tileValues = new float[pool.shape().layers()][TILE_ROWS * pool.width()];
  }

  @Override
  public int rows() {
    return rows;
  }

  /** First row that {@link #extend} appended after the last {@link #load}. */
  int loaded() {
    return loaded;
  }

  CpuRowPool pool() {
    return pool;
  }

  KvCopy copy() {
    return copy;
  }

  int slot(int row) {
    return slots[row];
  }

  /** Factors of all rows; row {@code r} at {@code r * headDim}. */
  float[] factors() {
    return factors;
  }

  void checkOpen(String operation) {
    if (closed) {
      throw new IllegalStateException(
          operation + ": the context was closed; open one per stream and chunk");
    }
  }

  @Override
  public void load(int[] newSlots, float[][] positions) {
    int first = append("load", newSlots, positions);
    loaded = rows;
    for (int from = 0; from < newSlots.length; from += TILE_ROWS) {
      int count = Math.min(TILE_ROWS, newSlots.length - from);
      for (int i = 0; i < count; i++) {
        gather(pool.row(newSlots[from + i]), first + from + i, i);
      }
      for (int layer = 0; layer < tileKeys.length; layer++) {
        copy.put(layer, first + from, count, tileKeys[layer], tileValues[layer]);
      }
    }
  }

  /** One cached row, all layers in one pass over its memory, to place {@code i} of the tile. */
  private void gather(float[] cached, int row, int i) {
    int width = pool.width();
    for (int layer = 0; layer < tileKeys.length; layer++) {
      rotateHeads(cached, 2 * layer * width, row, tileKeys[layer], i * width);
      System.arraycopy(cached, (2 * layer + 1) * width, tileValues[layer], i * width, width);
    }
  }

  @Override
  public void extend(int[] newSlots, float[][] positions) {
    append("extend", newSlots, positions);
  }

  /** Rotates the KV heads at {@code from} by the position of {@code row}. */
  void rotateHeads(float[] source, int from, int row, float[] to, int at) {
    int headDim = pool.shape().headDim();
    for (int head = 0; head < pool.shape().kvHeads(); head++) {
      Rotation.rotate(
          source, from + head * headDim, factors, row * headDim, headDim, to, at + head * headDim);
    }
  }

  private int append(String operation, int[] newSlots, float[][] positions) {
    checkOpen(operation);
    int count = newSlots.length;
    if (positions.length != 3
        || positions[0].length != count
        || positions[1].length != count
        || positions[2].length != count) {
      throw new IllegalArgumentException(
          "%s: %d slots, but positions are %s; expected [3][%d]"
              .formatted(
                  operation,
                  count,
                  Arrays.toString(Arrays.stream(positions).mapToInt(p -> p.length).toArray()),
                  count));
    }
    KvShape shape = pool.shape();
    int first = rows;
    reserve(first + count);
    int headDim = shape.headDim();
    for (int i = 0; i < count; i++) {
      pool.row(newSlots[i]); // refuses a slot that does not exist
      slots[first + i] = newSlots[i];
      rotary.factors(positions, i, shape.mropeSections(), factors, (first + i) * headDim);
    }
    rows = first + count;
    return first;
  }

  private void reserve(int needed) {
    if (needed > slots.length) {
      int capacity = Math.max(64, needed + needed / 8);
      slots = Arrays.copyOf(slots, capacity);
      factors = Arrays.copyOf(factors, Math.multiplyExact(capacity, pool.shape().headDim()));
    }
    copy.reserve(needed);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      rows = 0;
      copy.close();
    }
  }
}
