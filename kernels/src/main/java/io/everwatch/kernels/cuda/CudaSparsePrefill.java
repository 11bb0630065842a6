// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention of one pool's spans whose query heads choose the key blocks that they attend to (Lai et
 * al., FlexPrefill, ICLR 2025): finds those spans of a batch, sees to the memory they take,
 * launches {@link SparseKernels}. Nothing comes back to the host but the counts, with the tokens of
 * the next sampling.
 */
final class CudaSparsePrefill implements AutoCloseable {
  private final CudaRowPool pool;
  private final KvShape shape;
  private final SparseScratch scratch;
  private final SparseKernels kernels;
  private int layers; // attended since the last batch was made

  CudaSparsePrefill(CudaRowPool pool) {
    this.pool = pool;
    this.shape = pool.shape();
    this.scratch = new SparseScratch(pool.stream());
    this.kernels = new SparseKernels(pool);
  }

  /** What of it decides the bits of a result, for the numerics identity. */
  static String numerics() {
    return "sparse 64 keys at a time, up to 16 parts of a row by its length and choice";
  }

  /** See {@link io.everwatch.kernels.Backend#sparseSpace}. */
  static long space(KvShape shape, DType dtype, int queries, int keys, FlexPrefill selector) {
    if (selector.isDense(queries, keys)) {
      return 0;
    }
    BlockGrid grid = new BlockGrid(selector.block(), queries, keys);
    SparseLayout layout = SparseLayout.of(shape, grid, dtype);
    return layout.sharedBytes() + layout.keptBytes();
  }

  /**
   * Finds the spans of a batch that are not dense, checks them and sees to the room that they take,
   * before anything of the batch is launched.
   *
   * @throws IllegalArgumentException for more key blocks than there may be, or masks that do not
   *     fit
   * @throws io.everwatch.kernels.DeviceException of class REFUSED when memory is short
   */
  List<SparseSpan> prepare(List<Span> spans) {
    List<SparseLayout> layouts = new ArrayList<>();
    for (Span span : spans) {
      BlockSelector selector = span.sparse();
      if (selector != null) {
        layouts.add(layout(span, selector));
      }
    }
    long kept = layouts.stream().mapToLong(SparseLayout::sharedBytes).max().orElse(0);
    int maskAt = 0;
    List<SparseSpan> sparse = new ArrayList<>();
    for (int i = 0; i < spans.size(); i++) {
      BlockSelector selector = spans.get(i).sparse();
      if (selector != null) {
        SparseLayout layout = layouts.get(sparse.size());
        sparse.add(new SparseSpan(i, selector, layout, kept, maskAt));
        kept += layout.keptBytes();
        maskAt += sparse.get(sparse.size() - 1).maskInts();
      }
    }
    if (!sparse.isEmpty()) {
      scratch.require(kept);
    }
    layers = 0;
    return sparse;
  }

  private SparseLayout layout(Span span, BlockSelector selector) {
    BlockGrid grid = BlockGrid.of(span, selector);
    if (selector instanceof ChosenBlocks chosen) {
      chosen.check(grid, shape.heads());
    }
    return SparseLayout.of(shape, grid, pool.dtype());
  }

  /** Chooses and attends for one span; the layer's new rows were appended before. */
  void attend(int layer, long qkv, StepTables tables, SparseSpan span, long out) {
    long kept = scratch.address() + span.kept();
    kernels.attend(layer, qkv, tables, span, scratch.address(), kept, mask(tables, span), out);
    layers++;
  }

  /** See {@link io.everwatch.kernels.Backend#selection}. */
  BlockSelection selection(StepTables tables, int index) {
    Span batched = tables.span(index);
    BlockSelector selector = batched.selector();
    if (selector == null) {
      throw new IllegalStateException(
          "selection: span %d has no selector; expected one to have chosen".formatted(index));
    }
    SparseResults results = new SparseResults(pool.stream());
    for (SparseSpan span : tables.sparseSpans()) {
      if (span.index() == index) {
        if (layers == 0) {
          throw new IllegalStateException(
              "selection: nothing of the batch was attended yet; call attend first");
        }
        return results.read(span, scratch.address() + span.kept(), mask(tables, span));
      }
    }
    return results.dense(BlockGrid.of(batched, selector), shape.heads());
  }

  private long mask(StepTables tables, SparseSpan span) {
    return span.selector() instanceof ChosenBlocks
        ? tables.masksAddress() + 4L * span.maskAt()
        : scratch.address() + span.kept() + span.layout().mask();
  }

  @Override
  public void close() {
    scratch.close();
  }
}
