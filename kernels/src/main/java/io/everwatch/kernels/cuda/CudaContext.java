// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Context;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stream's rows in the order of its memory: slots, positions, and the blocks of the working
 * copy that hold their rotated keys. All of it is host memory; a batch's {@link StepTables} bring
 * over what its pass needs, so that nothing of a context lives at a device address of its own but
 * the set of ids seen.
 */
final class CudaContext implements Context {
  private final CudaRowPool pool;
  private final float[][] positions = new float[3][0];
  private final List<int[]> loads = new ArrayList<>(); // [from, to) whose keys are not rotated yet
  private int[] slots = new int[0];
  private int[] blocks = new int[0];
  private int rows;
  private int loaded; // rows below this one were loaded
  private int @Nullable [] newSeen; // to be brought over in place of those before
  private @Nullable SeenSet seen;
  private boolean closed;

  CudaContext(CudaRowPool pool) {
    this.pool = pool;
  }

  CudaRowPool pool() {
    return pool;
  }

  @Override
  public int rows() {
    return rows;
  }

  /** First row that {@link #extend} appended after the last {@link #load}. */
  int loaded() {
    return loaded;
  }

  int slot(int row) {
    return slots[row];
  }

  float position(int axis, int row) {
    return positions[axis][row];
  }

  /** Row of the working copy that holds the rotated key of {@code row}. */
  int workRow(int row) {
    return blocks[row / StepTables.WORK_BLOCK_ROWS] * StepTables.WORK_BLOCK_ROWS
        + row % StepTables.WORK_BLOCK_ROWS;
  }

  int blockCount() {
    return blocksOf(rows);
  }

  int block(int index) {
    return blocks[index];
  }

  private static int blocksOf(int rows) {
    return (rows + StepTables.WORK_BLOCK_ROWS - 1) / StepTables.WORK_BLOCK_ROWS;
  }

  /** Ranges {@code [from, to)} of rows whose keys the next pass must rotate first. */
  List<int[]> loads() {
    return loads;
  }

  /** The rotation of all {@link #loads} was launched. */
  void loadsDone() {
    loads.clear();
  }

  @Override
  public void seen(int[] distinctIds) {
    checkOpen("seen");
    newSeen = distinctIds.clone();
  }

  /** What {@link #seen} gave since the last call; null: nothing. For sampling. */
  int @Nullable [] takeSeen() {
    int[] taken = newSeen;
    newSeen = null;
    return taken;
  }

  /** The set of ids seen on the device; null: there is none yet. */
  @Nullable SeenSet seenSet() {
    return seen;
  }

  /** Takes a set over, which ends with this. */
  void seenSet(SeenSet set) {
    seen = set;
  }

  void checkOpen(String operation) {
    if (closed) {
      throw new IllegalStateException(
          operation + ": the context was closed; open one per stream and chunk");
    }
  }

  @Override
  public void load(int[] newSlots, float[][] newPositions) {
    int first = append("load", newSlots, newPositions);
    loaded = rows;
    if (rows > first) {
      loads.add(new int[] {first, rows});
    }
  }

  @Override
  public void extend(int[] newSlots, float[][] newPositions) {
    append("extend", newSlots, newPositions);
    pool.beforeOverwriting(newSlots);
  }

  private int append(String operation, int[] newSlots, float[][] newPositions) {
    checkOpen(operation);
    int count = newSlots.length;
    checkPositions(operation, count, newPositions);
    pool.checkSlots(operation, newSlots);
    int first = rows;
    int needed = blocksOf(first + count) - blocksOf(first);
    pool.workBlocks().require(needed);
    reserve(first + count);
    for (int i = blocksOf(first); i < blocksOf(first + count); i++) {
      blocks[i] = pool.workBlocks().take();
    }
    System.arraycopy(newSlots, 0, slots, first, count);
    for (int axis = 0; axis < 3; axis++) {
      System.arraycopy(newPositions[axis], 0, positions[axis], first, count);
    }
    rows = first + count;
    return first;
  }

  private static void checkPositions(String operation, int count, float[][] positions) {
    if (positions.length != 3 || Arrays.stream(positions).anyMatch(p -> p.length != count)) {
      throw new IllegalArgumentException(
          "%s: %d slots, but positions are %s; expected [3][%d]"
              .formatted(
                  operation,
                  count,
                  Arrays.toString(Arrays.stream(positions).mapToInt(p -> p.length).toArray()),
                  count));
    }
    for (float[] axis : positions) {
      for (float position : axis) {
        if (!Float.isFinite(position)) {
          throw new IllegalArgumentException(
              "%s: position %s of a row; expected a finite number".formatted(operation, position));
        }
      }
    }
  }

  private void reserve(int needed) {
    if (needed > slots.length) {
      int capacity = Math.max(64, needed + needed / 8);
      slots = Arrays.copyOf(slots, capacity);
      blocks = Arrays.copyOf(blocks, blocksOf(capacity));
      for (int axis = 0; axis < 3; axis++) {
        positions[axis] = Arrays.copyOf(positions[axis], capacity);
      }
    }
  }

  /** Gives its blocks back: passes launched later may overwrite them, passes before are through. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      for (int i = 0; i < blockCount(); i++) {
        pool.workBlocks().give(blocks[i]);
      }
      rows = 0;
      loads.clear();
      if (seen != null) {
        seen.close();
      }
    }
  }
}
