// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.ChosenBlocks;
import java.util.List;

/**
 * Writes the tables of one pass after the other where {@link StepLayout} says; {@code
 * common/step.cuh} has the structures.
 */
final class StepWriter {
  /** Of a row to be rotated: slot, work row, three positions. */
  static final int LOAD_INTS = 5;

  private static final int SEEN_AT = 24; // in a StepSpan

  private final StepBlock block;
  private StepLayout layout = new StepLayout(0, 0, 0);
  private int items;
  private int itemsPut;
  private int blocks;
  private int loads;
  private int maskInts;
  private int smallestId;
  private int largestId;

  StepWriter(StepBlock block) {
    this.block = block;
  }

  /**
   * Begins anew; the block has room and may be written.
   *
   * @param allItems work items that will be put: behind them come the lists of blocks
   */
  void begin(StepLayout next, int allItems) {
    layout = next;
    items = allItems;
    itemsPut = 0;
    blocks = 0;
    loads = 0;
    maskInts = 0;
    smallestId = Integer.MAX_VALUE;
    largestId = Integer.MIN_VALUE;
  }

  int items() {
    return items;
  }

  int loads() {
    return loads;
  }

  int smallestId() {
    return smallestId;
  }

  int largestId() {
    return largestId;
  }

  /** Where the loads begin, in ints from the beginning of the items. */
  int loadsAt() {
    return items * StepLayout.ITEM_INTS + blocks;
  }

  /** Bytes written. */
  long bytes() {
    return layout.tail() + 4L * (loadsAt() + LOAD_INTS * loads + maskInts);
  }

  void output(int index, int row) {
    putInt(layout.outputRows(), index, row);
  }

  /** A row that is {@code contextRow} of its context. */
  void row(int row, int id, int span, CudaContext context, int contextRow) {
    smallestId = Math.min(smallestId, id);
    largestId = Math.max(largestId, id);
    putInt(layout.ids(), row, id);
    for (int axis = 0; axis < 3; axis++) {
      putFloat(layout.positions(), axis * layout.rows() + row, context.position(axis, contextRow));
    }
    putInt(layout.slots(), row, context.slot(contextRow));
    putInt(layout.workRows(), row, context.workRow(contextRow));
    putInt(layout.spanOf(), row, span);
  }

  /** A row that does not exist: its id is that of any row of the embedding. */
  void noRow(int row) {
    putInt(layout.ids(), row, 0);
  }

  /** The next span, its work items (none: it chooses its blocks) and its list of blocks. */
  void span(int index, int first, int count, CudaContext context, int parts) {
    int at = layout.spanTable() + index * StepLayout.SPAN_BYTES;
    int list = loadsAt();
    putInt(at, 0, first);
    putInt(at, 1, count);
    putInt(at, 2, context.rows());
    putInt(at, 3, list);
    putInt(at, 4, itemsPut);
    putInt(at, 5, parts == 0 ? 1 : 0);
    SeenSet seen = context.seenSet();
    seenAddress(index, seen == null ? 0 : seen.address());
    for (int part = 0; part < parts; part++, itemsPut++) {
      putInt(layout.tail(), StepLayout.ITEM_INTS * itemsPut, index);
      putInt(layout.tail(), StepLayout.ITEM_INTS * itemsPut + 1, part);
    }
    for (int i = 0; i < context.blockCount(); i++) {
      putInt(layout.tail(), list + i, context.block(i));
    }
    blocks += context.blockCount();
  }

  void seenAddress(int span, long address) {
    block.bytes().putLong(layout.spanTable() + span * StepLayout.SPAN_BYTES + SEEN_AT, address);
  }

  /** Rows whose keys wait to be rotated, behind all spans. */
  void loads(List<CudaContext> from, int rows) {
    loads = rows;
    int base = layout.tail() + 4 * loadsAt();
    int at = 0;
    for (CudaContext context : from) {
      for (int[] range : context.loads()) {
        for (int row = range[0]; row < range[1]; row++, at++) {
          putInt(base, at, context.slot(row));
          putInt(base, loads + at, context.workRow(row));
          for (int axis = 0; axis < 3; axis++) {
            putFloat(base, (2 + axis) * loads + at, context.position(axis, row));
          }
        }
      }
    }
  }

  /** Masks that were given with selectors, behind the loads. */
  void masks(List<SparseSpan> spans) {
    int base = layout.tail() + 4 * (loadsAt() + LOAD_INTS * loads);
    for (SparseSpan span : spans) {
      if (span.selector() instanceof ChosenBlocks chosen) {
        int at = span.maskAt();
        for (BlockMask mask : chosen.masks()) {
          for (int word : mask.words()) {
            putInt(base, at++, word);
          }
        }
      }
      maskInts += span.maskInts();
    }
  }

  /** Comes last. */
  void header(int rows, int outputs, int spans) {
    putInt(0, 0, rows);
    putInt(0, 1, outputs);
    putInt(0, 2, spans);
    putInt(0, 3, items);
    putInt(0, 4, loads);
    for (int i = 5; i < StepLayout.HEADER_BYTES / 4; i++) {
      putInt(0, i, 0);
    }
  }

  private void putInt(int table, int index, int value) {
    block.bytes().putInt(table + 4 * index, value);
  }

  private void putFloat(int table, int index, float value) {
    block.bytes().putFloat(table + 4 * index, value);
  }
}
