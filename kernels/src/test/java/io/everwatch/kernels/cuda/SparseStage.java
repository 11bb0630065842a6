// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowValues;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A pool of one layer whose spans choose what they attend to. */
final class SparseStage implements AutoCloseable {
  private final CudaStream stream;
  private final DeviceArrays arrays;
  private final int[] order; // in which slots are given out
  private int given;
  final CudaRowPool pool;

  /** The last rows of an input. */
  record Part(SparseInput input, int queries, @Nullable BlockSelector selector) {}

  /**
   * What came of a part.
   *
   * @param out {@code [n, H, D]}
   * @param selection null where it has no selector
   */
  record Result(float[] out, @Nullable BlockSelection selection) {
    /** The selection of a part that has a selector. */
    BlockSelection chosen() {
      return Objects.requireNonNull(selection);
    }
  }

  SparseStage(CudaDevice device, KvShape shape, DType dtype, int slots, long slotSeed) {
    stream = CudaStream.open(device);
    arrays = new DeviceArrays(device);
    pool = new CudaRowPool(stream, shape, dtype, slots);
    order = Samples.permutation(slotSeed, slots);
    WorkBlocks blocks = pool.workBlocks();
    int[] taken = new int[blocks.total()];
    Arrays.setAll(taken, i -> blocks.take());
    for (int i : Samples.permutation(slotSeed + 1, taken.length)) {
      blocks.give(taken[i]);
    }
  }

  private int[] takeSlots(int count) {
    given += count;
    return Arrays.copyOfRange(order, given - count, given);
  }

  /** A context with all rows of a part, the queries not computed yet. */
  private CudaContext context(Part part) {
    int past = part.input().keys - part.queries();
    CudaContext context = pool.context();
    int[] slots = takeSlots(past);
    byte[][] rows = new byte[past][];
    for (int row = 0; row < past; row++) {
      rows[row] =
          RowValues.convert(RowValues.bytes(part.input().cached(row)), DType.F32, pool.dtype());
    }
    if (past > 0) {
      pool.write(slots, rows);
      context.load(slots, new float[3][past]);
    }
    context.extend(takeSlots(part.queries()), new float[3][part.queries()]);
    return context;
  }

  private List<Span> spans(Part... parts) {
    given = 0;
    List<Span> spans = new ArrayList<>();
    int rows = 0;
    for (Part part : parts) {
      spans.add(new Span(context(part), rows, part.queries(), part.selector()));
      rows += part.queries();
    }
    return spans;
  }

  private StepTables tables(List<Span> spans) {
    int rows = spans.stream().mapToInt(Span::count).sum();
    return pool.batches().prefill(spans, new int[rows], new int[0]);
  }

  /** The tables of a pass that is not made. */
  StepTables tables(Part... parts) {
    return tables(spans(parts));
  }

  /** One pass over all parts; their contexts end with it. */
  List<Result> attend(Part... parts) {
    List<Span> spans = spans(parts);
    try {
      return attend(spans, parts);
    } finally {
      spans.forEach(span -> span.context().close());
    }
  }

  private List<Result> attend(List<Span> spans, Part... parts) {
    StepTables tables = tables(spans);
    int rows = tables.rows();
    KvShape shape = pool.shape();
    int outWidth = shape.heads() * shape.headDim();
    int width = outWidth + 2 * shape.kvHeads() * shape.headDim();
    float[] qkv = new float[rows * width];
    int at = 0;
    for (Part part : parts) {
      for (int i = 0; i < part.queries(); i++, at += width) {
        int row = part.input().keys - part.queries() + i;
        System.arraycopy(part.input().token(row), 0, qkv, at, width);
      }
    }
    float[] nothing = new float[rows * outWidth];
    Arrays.fill(nothing, Float.NaN);
    boolean plain = pool.dtype() == DType.F32;
    long in = plain ? arrays.of(qkv) : arrays.bf16(qkv);
    long out = plain ? arrays.of(nothing) : arrays.bf16(nothing);
    pool.attention().begin(tables);
    pool.attention().attend(0, in, tables, out);
    float[] all = plain ? arrays.floats(out, nothing.length) : arrays.widened(out, nothing.length);
    List<Result> results = new ArrayList<>();
    for (int i = 0; i < parts.length; i++) {
      Span span = spans.get(i);
      results.add(
          new Result(
              Arrays.copyOfRange(
                  all, span.first() * outWidth, (span.first() + span.count()) * outWidth),
              span.selector() == null ? null : pool.sparse().selection(tables, i)));
    }
    return results;
  }

  @Override
  public void close() {
    pool.close();
    arrays.close();
    stream.close();
  }
}
