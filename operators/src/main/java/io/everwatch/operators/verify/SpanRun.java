// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;
import io.everwatch.kernels.Span;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A case's span through a model of one layer, the way a prompt goes. The fixtures' vectors are
 * rotated already: position 0 turns nothing.
 *
 * @param selection what its heads chose
 * @param out {@code [n, heads, d]}
 */
record SpanRun(BlockSelection selection, float[] out) {
  static SpanRun of(Backend backend, FlexPrefillCase one, BlockSelector selector) {
    int queries = one.grid().queries();
    int keys = one.grid().keys();
    int context = one.grid().contextRows();
    int width = one.heads() * one.headDim();
    KvShape shape =
        new KvShape(
            1,
            one.heads(),
            one.kvHeads(),
            one.headDim(),
            new int[] {one.headDim() / 2, 0, 0},
            10_000);
    try (RowPool pool = backend.rowPool(shape, keys);
        Context rows = backend.context(pool);
        Arena arena = backend.arena()) {
      int[] old = IntStream.range(0, context).toArray();
      pool.write(old, cached(one, pool.dtype()));
      rows.load(old, new float[3][context]);
      rows.extend(IntStream.range(context, keys).toArray(), new float[3][queries]);
      Batch batch =
          backend.prefillBatch(
              List.of(new Span(rows, 0, queries, selector)),
              new int[queries],
              new int[0],
              List.of());
      float[] qkv = fresh(one);
      DeviceBuffer in = arena.allocate(batch.rows(), qkv.length / queries);
      DeviceBuffer out = arena.allocate(batch.rows(), width);
      backend.upload(qkv, 0, qkv.length, in);
      backend.attend(0, in, batch, out);
      float[] values = new float[queries * width];
      backend.download(out, 0, values, 0, values.length);
      return new SpanRun(backend.selection(batch, 0), values);
    }
  }

  /** K and V of the context's rows, a row each. */
  private static byte[][] cached(FlexPrefillCase one, DType type) {
    int width = one.kvHeads() * one.headDim();
    float[] k = one.tensors().floats("k");
    float[] v = one.tensors().floats("v");
    byte[][] rows = new byte[one.grid().contextRows()][];
    for (int i = 0; i < rows.length; i++) {
      float[] row = new float[2 * width];
      System.arraycopy(k, i * width, row, 0, width);
      System.arraycopy(v, i * width, row, width, width);
      rows[i] = RowValues.convert(RowValues.bytes(row), DType.F32, type);
    }
    return rows;
  }

  /** Q, K and V of the span's rows: {@code [n, (heads + 2 kvHeads) * d]}. */
  private static float[] fresh(FlexPrefillCase one) {
    int queryWidth = one.heads() * one.headDim();
    int width = one.kvHeads() * one.headDim();
    float[] q = one.tensors().floats("q");
    float[] k = one.tensors().floats("k");
    float[] v = one.tensors().floats("v");
    int queries = one.grid().queries();
    float[] qkv = new float[queries * (queryWidth + 2 * width)];
    for (int i = 0; i < queries; i++) {
      int at = i * (queryWidth + 2 * width);
      int row = (one.grid().contextRows() + i) * width;
      System.arraycopy(q, i * queryWidth, qkv, at, queryWidth);
      System.arraycopy(k, row, qkv, at + queryWidth, width);
      System.arraycopy(v, row, qkv, at + queryWidth + width, width);
    }
    return qkv;
  }
}
