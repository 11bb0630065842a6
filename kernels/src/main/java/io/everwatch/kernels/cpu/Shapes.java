// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.Vector;
import java.util.List;

/** Checks of arguments, with messages that name the operation. */
final class Shapes {
  private Shapes() {}

  static long elements(String operation, int tokens, int width) {
    if (tokens < 0 || width < 0) {
      throw new IllegalArgumentException(
          "%s: %d tokens of width %d; expected sizes of zero or more"
              .formatted(operation, tokens, width));
    }
    return (long) tokens * width;
  }

  static float[] values(Vector vector, String operation, int length) {
    if (!(vector instanceof CpuVector mine)) {
      throw new IllegalArgumentException(
          "%s: vector %s is a %s; expected one of the cpu back end"
              .formatted(operation, vector.name(), vector.getClass().getName()));
    }
    if (mine.length() != length) {
      throw new IllegalArgumentException(
          "%s: vector %s has %d values, but the rows have width %d; is it of another layer?"
              .formatted(operation, mine.name(), mine.length(), length));
    }
    return mine.values();
  }

  static void rowsInside(String operation, String role, int[] rows, int width, long elements) {
    for (int row : rows) {
      if (row < 0 || (row + 1L) * width > elements) {
        throw new IllegalArgumentException(
            "%s: row %d of width %d lies outside %s of %d elements"
                .formatted(operation, row, width, role, elements));
      }
    }
  }

  /** The common shape of all spans' pools; refuses spans that do not tile the tokens. */
  static KvShape spans(int layer, List<Span> spans) {
    KvShape shape = null;
    int next = 0;
    for (Span span : spans) {
      if (!(span.context() instanceof CpuContext context)) {
        throw new IllegalArgumentException(
            "attend: the context is a %s; expected one of the cpu back end"
                .formatted(span.context().getClass().getName()));
      }
      context.checkOpen("attend");
      if (span.first() != next || span.count() < 1) {
        throw new IllegalArgumentException(
            "attend: span [%d, +%d) where token %d was expected; spans must follow one another"
                    .formatted(span.first(), span.count(), next)
                + " without gap and hold at least one token");
      }
      if (span.count() > context.rows() - context.loaded()) {
        throw new IllegalArgumentException(
            "attend: span of %d tokens, but only %d of the context's %d rows were extended;"
                    .formatted(span.count(), context.rows() - context.loaded(), context.rows())
                + " call extend with the tokens' slots first");
      }
      KvShape own = context.pool().shape();
      if (shape == null) {
        shape = own;
      } else if (own.layers() != shape.layers()
          || own.heads() != shape.heads()
          || own.kvHeads() != shape.kvHeads()
          || own.headDim() != shape.headDim()) {
        throw new IllegalArgumentException(
            "attend: spans of different models, %s and %s; one call serves one model"
                .formatted(shape, own));
      }
      next += span.count();
    }
    if (shape == null) {
      throw new IllegalArgumentException("attend: no spans");
    }
    if (layer < 0 || layer >= shape.layers()) {
      throw new IllegalArgumentException(
          "attend: layer %d; expected 0 to %d".formatted(layer, shape.layers() - 1));
    }
    return shape;
  }
}
