// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Batches;
import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Structured heads of several streams through one layer's attention. */
public final class SparsePass {
  /** A stream and how it chooses; without a selector everything. */
  public record Stream(StructuredHeads heads, @Nullable BlockSelector selector) {}

  /**
   * What came of a stream.
   *
   * @param out {@code [n, heads, d]}
   * @param selection null without a selector
   */
  public record Result(float[] out, @Nullable BlockSelection selection) {
    /** What its heads chose. */
    public BlockSelection chosen() {
      if (selection == null) {
        throw new AssertionError("the stream had no selector");
      }
      return selection;
    }
  }

  private SparsePass() {}

  /** One stream alone. */
  public static Result run(
      Backend backend, StructuredHeads heads, @Nullable BlockSelector selector) {
    return run(backend, List.of(new Stream(heads, selector)), 1).get(0);
  }

  /**
   * Streams of one model together. Position 0 turns no vector.
   *
   * @param slotSeed where their rows lie
   */
  public static List<Result> run(Backend backend, List<Stream> streams, long slotSeed) {
    StructuredHeads model = streams.get(0).heads();
    int dim = model.headDim();
    KvShape shape =
        new KvShape(1, model.heads(), model.kvHeads(), dim, new int[] {dim / 2, 0, 0}, 10_000);
    int outWidth = model.heads() * dim;
    int tokenWidth = outWidth + 2 * model.kvHeads() * dim;
    int rows = streams.stream().mapToInt(stream -> stream.heads().grid().keys()).sum();
    int tokens = streams.stream().mapToInt(stream -> stream.heads().grid().queries()).sum();
    int[] slots = Samples.permutation(slotSeed, rows);
    float[] qkv = new float[tokens * tokenWidth];
    List<Span> spans = new ArrayList<>();
    List<Result> results = new ArrayList<>();
    try (RowPool pool = backend.rowPool(shape, rows);
        Arena arena = backend.arena()) {
      int row = 0;
      int token = 0;
      for (Stream stream : streams) {
        BlockGrid grid = stream.heads().grid();
        int[] old = Arrays.copyOfRange(slots, row, row + grid.contextRows());
        int[] fresh = Arrays.copyOfRange(slots, row + old.length, row + grid.keys());
        Context context = backend.context(pool);
        Batches.write(pool, old, cached(stream.heads()));
        context.load(old, new float[3][old.length]);
        context.extend(fresh, new float[3][fresh.length]);
        fresh(stream.heads(), qkv, token * tokenWidth);
        spans.add(new Span(context, token, fresh.length, stream.selector()));
        row += grid.keys();
        token += fresh.length;
      }
      Batch batch = Batches.of(backend, spans);
      DeviceBuffer in = arena.allocate(batch.rows(), tokenWidth);
      DeviceBuffer out = arena.allocate(batch.rows(), outWidth);
      backend.upload(qkv, 0, qkv.length, in);
      backend.attend(0, in, batch, out);
      for (int i = 0; i < spans.size(); i++) {
        Span span = spans.get(i);
        float[] values = new float[span.count() * outWidth];
        backend.download(out, (long) span.first() * outWidth, values, 0, values.length);
        boolean chose = span.selector() != null;
        results.add(new Result(values, chose ? backend.selection(batch, i) : null));
      }
    } finally {
      spans.forEach(span -> span.context().close());
    }
    return results;
  }

  private static float[] cached(StructuredHeads heads) {
    int width = heads.kvHeads() * heads.headDim();
    float[] rows = new float[heads.grid().contextRows() * 2 * width];
    for (int i = 0; i < heads.grid().contextRows(); i++) {
      System.arraycopy(heads.k(), i * width, rows, 2 * i * width, width);
      System.arraycopy(heads.v(), i * width, rows, (2 * i + 1) * width, width);
    }
    return rows;
  }

  private static void fresh(StructuredHeads heads, float[] qkv, int at) {
    int queryWidth = heads.heads() * heads.headDim();
    int width = heads.kvHeads() * heads.headDim();
    for (int i = 0; i < heads.grid().queries(); i++) {
      int to = at + i * (queryWidth + 2 * width);
      int row = (heads.grid().contextRows() + i) * width;
      System.arraycopy(heads.q(), i * queryWidth, qkv, to, queryWidth);
      System.arraycopy(heads.k(), row, qkv, to + queryWidth, width);
      System.arraycopy(heads.v(), row, qkv, to + queryWidth + width, width);
    }
  }
}
