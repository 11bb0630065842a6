// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Span;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.Trace;
import java.util.List;
import java.util.stream.IntStream;

/** One sequence on the back end, from its prompt on; slot i of its own pool holds row i. */
final class PromptRun implements AutoCloseable {
  private final Model model;
  private final Backend backend;
  private final RowPool pool;
  private final Context context;
  private final Arena arena;

  /**
   * @param rows room for prompt and answer
   */
  PromptRun(Model model, Backend backend, int rows) {
    this.model = model;
    this.backend = backend;
    this.pool = backend.rowPool(model.decoder().kvShape(), rows);
    this.context = backend.context(pool);
    this.arena = backend.arena();
  }

  /** Runs the prompt in one piece. Logits {@code [n, V]} of all its rows. */
  float[] prefill(Prompt prompt, Trace trace) {
    arena.reset();
    int count = extend(prompt.positions().positions());
    Batch batch =
        backend.prefillBatch(
            List.of(new Span(context, 0, count)),
            prompt.ids(),
            IntStream.range(0, count).toArray(),
            List.of());
    DeviceBuffer x = model.decoder().embed(batch, arena);
    if (!prompt.media().isEmpty()) {
      DeviceBuffer vision = model.tower().encode(prompt.media(), arena);
      model.decoder().placeVision(vision, 0, prompt.pads(), x);
    }
    DeviceBuffer out = model.decoder().forward(x, batch, arena, trace);
    return values(model.decoder().logits(out, batch, arena, trace), count);
  }

  /** Runs one more token. Its logits {@code [V]}. */
  float[] decode(int id, float position) {
    extend(new float[][] {{position}, {position}, {position}});
    Batch batch = backend.decodeBatch(List.of(context), new int[] {id}, List.of());
    return values(model.decoder().decode(batch), 1);
  }

  /** K and V of a layer of all rows so far. */
  CachedRows cached(int layer) {
    return CachedRows.read(pool, layer, context.rows());
  }

  private int extend(float[][] positions) {
    int count = positions[0].length;
    context.extend(IntStream.range(context.rows(), context.rows() + count).toArray(), positions);
    return count;
  }

  private float[] values(DeviceBuffer logits, int rows) {
    float[] values = new float[rows * model.decoder().vocabSize()];
    backend.download(logits, 0, values, 0, values.length);
    return values;
  }

  @Override
  public void close() {
    try (pool;
        context;
        arena) {
      // Closed in the reverse order, each whatever the others do.
    }
  }
}
