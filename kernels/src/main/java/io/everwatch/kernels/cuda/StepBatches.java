// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Context;
import io.everwatch.kernels.Shapes;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes the batches of a pool: checks them, fills in their tables. One thread. */
final class StepBatches implements AutoCloseable {
  /** Queries of a prefill work item, where that leaves one for every multiprocessor. */
  static final int LARGE_TILE = 128;

  static final int SMALL_TILE = 64;

  private final CudaRowPool pool;
  private final StepTables prefill;
  private final StepTables loading; // loads of contexts that decode without a prefill
  private final Map<Integer, StepTables> decode = new HashMap<>(); // by bucket
  private int multiprocessors;

  StepBatches(CudaRowPool pool) {
    this.pool = pool;
    this.multiprocessors = pool.device().multiprocessors();
    this.prefill = StepTables.forPrefill(pool);
    this.loading = StepTables.forPrefill(pool);
  }

  /**
   * Fills in the tables of a prefill pass, rows that wait to be rotated included; see {@link
   * io.everwatch.kernels.Backend#prefillBatch}. {@link CudaAttention#begin} brings them over.
   */
  StepTables prefill(List<Span> spans, int[] ids, int[] outputs) {
    List<CudaContext> contexts = new ArrayList<>(spans.size());
    int next = 0;
    for (Span span : spans) {
      CudaContext context = mine("prefillBatch", span.context());
      if (span.first() != next || span.count() < 1) {
        throw new IllegalArgumentException(
            "prefillBatch: span [%d, +%d) where row %d was expected; spans must follow one another"
                    .formatted(span.first(), span.count(), next)
                + " without gap and hold at least one row");
      }
      requireExtended("prefillBatch", context, span.count());
      next += span.count();
      contexts.add(context);
    }
    if (next != ids.length) {
      throw new IllegalArgumentException(
          "prefillBatch: spans of %d rows for %d ids; expected one id for each row"
              .formatted(next, ids.length));
    }
    Shapes.distinct("prefillBatch", contexts.size(), contexts::get);
    for (int row : outputs) {
      if (row < 0 || row >= next) {
        throw new IllegalArgumentException(
            "prefillBatch: output row %d; expected 0 to %d".formatted(row, next - 1));
      }
    }
    int group = pool.shape().heads() / pool.shape().kvHeads();
    long large = spans.stream().mapToLong(s -> StepTables.tiles(s, group, LARGE_TILE)).sum();
    boolean enough = large * pool.shape().kvHeads() >= multiprocessors;
    int tile = enough ? LARGE_TILE : SMALL_TILE;
    List<SparseSpan> sparse = pool.sparse().prepare(spans);
    prefill.fillPrefill(spans, ids, outputs, group, tile, contexts, sparse);
    return prefill;
  }

  /**
   * Fills in the tables of a decode pass; see {@link io.everwatch.kernels.Backend#decodeBatch}.
   * {@link CudaAttention#begin} brings them over.
   */
  StepTables decode(List<? extends Context> contexts, int[] ids) {
    if (contexts.isEmpty() || contexts.size() != ids.length) {
      throw new IllegalArgumentException(
          "decodeBatch: %d contexts, %d ids; expected one id for each of one context or more"
              .formatted(contexts.size(), ids.length));
    }
    List<CudaContext> of = new ArrayList<>(contexts.size());
    for (Context context : contexts) {
      CudaContext own = mine("decodeBatch", context);
      requireExtended("decodeBatch", own, 1);
      of.add(own);
    }
    Shapes.distinct("decodeBatch", of.size(), of::get);
    StepTables tables =
        decode.computeIfAbsent(
            StepTables.bucket(ids.length), bucket -> StepTables.forDecode(pool, bucket));
    tables.fillDecode(of, ids);
    return tables;
  }

  /** Tables of no rows for what {@code contexts} have loaded since their last pass. */
  StepTables loads(List<CudaContext> contexts) {
    loading.fillPrefill(List.of(), new int[0], new int[0], 1, SMALL_TILE, contexts, List.of());
    return loading;
  }

  /** Chooses forms of kernels as for a device of so many; results do not depend on it. */
  void assumeMultiprocessors(int count) {
    multiprocessors = count;
  }

  private CudaContext mine(String operation, Context context) {
    if (!(context instanceof CudaContext own)) {
      throw new IllegalArgumentException(
          "%s: the context is a %s; expected one of the cuda back end"
              .formatted(operation, context.getClass().getName()));
    }
    own.checkOpen(operation);
    if (own.pool() != pool) {
      throw new IllegalArgumentException(
          operation + ": contexts of two row pools; one batch serves one model");
    }
    return own;
  }

  private static void requireExtended(String operation, CudaContext context, int count) {
    if (count > context.rows() - context.loaded()) {
      throw new IllegalArgumentException(
          "%s: %d rows, but only %d of the context's %d rows were extended;"
                  .formatted(operation, count, context.rows() - context.loaded(), context.rows())
              + " call extend with the rows' slots first");
    }
  }

  @Override
  public void close() {
    try (prefill;
        loading) {
      decode.values().forEach(StepTables::close);
      decode.clear();
    }
  }
}
