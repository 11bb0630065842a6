// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Shapes;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.List;

/** A checked batch; there is no padding on the CPU. */
final class CpuBatch implements Batch {
  private final KvShape shape;
  private final List<Span> spans;
  private final SpanChoices choices;
  private final int[] contextRows; // of each span when the batch was made
  private final int[] ids;
  private final int[] outputs;
  private final List<Draw> draws;

  private CpuBatch(List<Span> spans, int[] ids, int[] outputs, List<Draw> draws) {
    this.shape = commonShape(spans, ids.length);
    this.spans = spans;
    this.choices = new SpanChoices(spans, shape.heads());
    this.contextRows = spans.stream().mapToInt(span -> span.context().rows()).toArray();
    this.ids = ids;
    this.outputs = outputs;
    this.draws = draws;
    if (!draws.isEmpty() && draws.size() != outputs.length) {
      throw new IllegalArgumentException(
          "batch: %d draws for %d rows whose logits are wanted; expected one for each, or none"
              .formatted(draws.size(), outputs.length));
    }
  }

  static CpuBatch prefill(List<Span> spans, int[] ids, int[] outputs, List<Draw> draws) {
    for (int row : outputs) {
      if (row < 0 || row >= ids.length) {
        throw new IllegalArgumentException(
            "batch: logits of row %d are wanted; expected rows 0 to %d"
                .formatted(row, ids.length - 1));
      }
    }
    return new CpuBatch(List.copyOf(spans), ids.clone(), outputs.clone(), List.copyOf(draws));
  }

  static CpuBatch decode(List<? extends Context> contexts, int[] ids, List<Draw> draws) {
    if (contexts.size() != ids.length) {
      throw new IllegalArgumentException(
          "batch: %d ids for %d contexts; expected one for each"
              .formatted(ids.length, contexts.size()));
    }
    List<Span> spans = new ArrayList<>(ids.length);
    int[] all = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      spans.add(new Span(contexts.get(i), i, 1));
      all[i] = i;
    }
    CpuBatch batch = new CpuBatch(spans, ids.clone(), all, List.copyOf(draws));
    for (int i = 0; i < draws.size(); i++) {
      batch.context(i).seen().set(ids[i]);
    }
    return batch;
  }

  /** The common shape of all spans' pools; refuses spans that do not tile the tokens. */
  private static KvShape commonShape(List<Span> spans, int tokens) {
    KvShape shape = null;
    int next = 0;
    for (Span span : spans) {
      KvShape own = checked(span, next).pool().shape();
      if (shape == null) {
        shape = own;
      } else if (own.layers() != shape.layers()
          || own.heads() != shape.heads()
          || own.kvHeads() != shape.kvHeads()
          || own.headDim() != shape.headDim()) {
        throw new IllegalArgumentException(
            "batch: spans of different models, %s and %s; one batch serves one model"
                .formatted(shape, own));
      }
      next += span.count();
    }
    if (shape == null || next != tokens) {
      throw new IllegalArgumentException(
          "batch: %d ids, but %d spans of %d rows; expected at least one span, and a row for each id"
              .formatted(tokens, spans.size(), next));
    }
    Shapes.distinct("batch", spans.size(), i -> spans.get(i).context());
    return shape;
  }

  private static CpuContext checked(Span span, int next) {
    if (!(span.context() instanceof CpuContext context)) {
      throw new IllegalArgumentException(
          "batch: the context is a %s; expected one of the cpu back end"
              .formatted(span.context().getClass().getName()));
    }
    context.checkOpen("batch");
    if (span.first() != next || span.count() < 1) {
      throw new IllegalArgumentException(
          "batch: span [%d, +%d) where token %d was expected; spans must follow one another"
                  .formatted(span.first(), span.count(), next)
              + " without gap and hold at least one token");
    }
    if (span.count() > context.rows() - context.loaded()) {
      throw new IllegalArgumentException(
          "batch: span of %d tokens, but only %d of the context's %d rows were extended;"
                  .formatted(span.count(), context.rows() - context.loaded(), context.rows())
              + " call extend with the tokens' slots first");
    }
    return context;
  }

  /** Refuses a batch whose contexts have changed since it was made. */
  void checkContexts(String operation) {
    for (int i = 0; i < contextRows.length; i++) {
      CpuContext context = context(i);
      context.checkOpen(operation);
      if (context.rows() != contextRows[i]) {
        throw new IllegalArgumentException(
            "%s: the context of span %d had %d rows when the batch was made and has %d now; make a batch after extending"
                .formatted(operation, i, contextRows[i], context.rows()));
      }
    }
  }

  private CpuContext context(int span) {
    return (CpuContext) spans.get(span).context();
  }

  KvShape shape() {
    return shape;
  }

  List<Span> spans() {
    return spans;
  }

  /** How its spans choose what they attend to. */
  SpanChoices choices() {
    return choices;
  }

  /** Not to be written to. */
  int[] ids() {
    return ids;
  }

  /** Rows whose logits are wanted; not to be written to. */
  int[] outputRows() {
    return outputs;
  }

  List<Draw> draws() {
    return draws;
  }

  /** The context that an output belongs to. */
  CpuContext contextOf(int output) {
    int span = 0;
    while (spans.get(span).first() + spans.get(span).count() <= outputs[output]) {
      span++;
    }
    return context(span);
  }

  @Override
  public int rows() {
    return ids.length;
  }

  @Override
  public int outputs() {
    return outputs.length;
  }

  @Override
  public boolean everyRow() {
    for (int i = 0; i < outputs.length; i++) {
      if (outputs[i] != i) {
        return false;
      }
    }
    return outputs.length == ids.length;
  }
}
