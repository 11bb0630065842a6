// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;

/** Batches for tests of single operations. */
public final class Batches {
  private Batches() {}

  /** For attention alone, which sees no ids: a prefill of which nothing is wanted. */
  public static Batch of(Backend backend, List<Span> spans) {
    int tokens = spans.stream().mapToInt(Span::count).sum();
    return backend.prefillBatch(spans, new int[tokens], new int[0], List.of());
  }

  /** As the other, for one stream. */
  public static Batch of(Backend backend, Context context, int tokens) {
    return of(backend, List.of(new Span(context, 0, tokens)));
  }

  /** Writes rows {@code [slots.length, rowElements]} of float32 to their slots. */
  public static void write(RowPool pool, int[] slots, float[] values) {
    int elements = Math.toIntExact(pool.shape().rowElements());
    byte[][] rows = new byte[slots.length][];
    for (int i = 0; i < rows.length; i++) {
      float[] row = java.util.Arrays.copyOfRange(values, i * elements, (i + 1) * elements);
      rows[i] = RowValues.convert(RowValues.bytes(row), DType.F32, pool.dtype());
    }
    pool.write(slots, rows);
  }

  /** The row in a slot, widened to float32. */
  public static float[] read(RowPool pool, int slot) {
    return RowValues.values(pool.read(new int[] {slot}).await()[0], pool.dtype());
  }
}
