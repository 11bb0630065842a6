// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Context;
import io.everwatch.kernels.KvShape;
import java.util.Arrays;
import java.util.BitSet;

/** One stream's rows in the order of its memory, and the working copy made of them. */
final class CpuContext implements Context {
  /** Elements of the rows that a task loads together: 16 KiB stay in the first-level cache. */
  private static final int TILE_ELEMENTS = 1 << 12;

  /** Loading one element against one multiplication: 0.5 ns and 0.03 ns (2026-11-20). */
  private static final long ELEMENT_COST = 16;

  private final CpuRowPool pool;
  private final RotaryTable rotary;
  private final KvCopy copy;
  private final KeyMeans means;
  private int[] slots = new int[0];
  private float[] factors = new float[0]; // [rows, headDim]: cosines, then sines, of each pair
  private int rows;
  private int loaded; // rows below this one were loaded, not computed in this chunk
  private final CpuThreads threads;
  private final BitSet seen = new BitSet();
  private boolean closed;

  CpuContext(CpuRowPool pool, RotaryTable rotary, KvCopy copy, CpuThreads threads) {
    this.pool = pool;
    this.rotary = rotary;
    this.copy = copy;
    this.means = new KeyMeans(copy, pool.shape());
    this.threads = threads;
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

  KeyMeans means() {
    return means;
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
  public void seen(int[] distinctIds) {
    checkOpen("seen");
    seen.clear();
    for (int id : distinctIds) {
      seen.set(id);
    }
  }

  /** Ids that count as said. */
  BitSet seen() {
    return seen;
  }

  @Override
  public void load(int[] newSlots, float[][] positions) {
    int first = append("load", newSlots, positions);
    loaded = rows;
    KvShape shape = pool.shape();
    int tileRows = (int) Math.max(1, TILE_ELEMENTS / shape.rowElements());
    float[][][] tiles = // [threads][2 * layers][tileRows * width]
        new float[threads.count()][2 * shape.layers()][tileRows * pool.width()];
    threads.run(
        (newSlots.length + tileRows - 1) / tileRows,
        tileRows * shape.rowElements() * ELEMENT_COST,
        (worker, task) -> {
          int from = first + task * tileRows;
          loadTile(from, Math.min(tileRows, rows - from), tiles[worker]);
        });
  }

  /** Row after row: the cached rows lie anywhere, and each is read once from end to end. */
  private void loadTile(int from, int count, float[][] tile) {
    int width = pool.width();
    for (int i = 0; i < count; i++) {
      float[] cached = pool.row(slots[from + i]);
      for (int part = 0; part < tile.length; part += 2) {
        rotateHeads(cached, part * width, from + i, tile[part], i * width);
        System.arraycopy(cached, (part + 1) * width, tile[part + 1], i * width, width);
      }
    }
    for (int part = 0; part < tile.length; part += 2) {
      copy.put(part / 2, from, count, tile[part], tile[part + 1]);
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
      slots = new int[0]; // the back end's last batch still has this context
      factors = new float[0];
      copy.close();
    }
  }
}
