// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.function.IntFunction;

/** Checks of arguments that back ends share, with messages that name the operation. */
public final class Shapes {
  private Shapes() {}

  /** Elements of {@code tokens} rows. */
  public static long elements(String operation, int tokens, int width) {
    if (tokens < 0 || width < 0) {
      throw new IllegalArgumentException(
          "%s: %d tokens of width %d; expected sizes of zero or more"
              .formatted(operation, tokens, width));
    }
    return (long) tokens * width;
  }

  /** Elements up to the end of rows {@code [first, first + tokens)}. */
  public static long elements(String operation, int first, int tokens, int width) {
    if (first < 0) {
      throw new IllegalArgumentException(
          "%s: rows from %d on; expected a first row of zero or more".formatted(operation, first));
    }
    return elements(operation, Math.addExact(first, tokens), width);
  }

  /**
   * Refuses a buffer whose arena took it back, or that is too small.
   *
   * @param current whether its arena is still in the step that allocated it
   */
  public static void buffer(
      String operation, String role, boolean current, long elements, long atLeast) {
    if (!current) {
      throw new IllegalArgumentException(
          "%s: %s [%d elements] was given back when its arena was reset or closed;"
                  .formatted(operation, role, elements)
              + " allocate it again in each step");
    }
    if (elements < atLeast) {
      throw new IllegalArgumentException(
          "%s: %s holds %d elements, but %d are needed;"
                  .formatted(operation, role, elements, atLeast)
              + " do the shapes of the operation and of the buffer agree?");
    }
  }

  /** Refuses a row that does not lie inside a buffer of {@code elements}. */
  public static void rowsInside(
      String operation, String role, int[] rows, int width, long elements) {
    for (int row : rows) {
      if (row < 0 || (row + 1L) * width > elements) {
        throw new IllegalArgumentException(
            "%s: row %d of width %d lies outside %s of %d elements"
                .formatted(operation, row, width, role, elements));
      }
    }
  }

  /**
   * Refuses a batch that has a context twice: its newest rows would be computed twice over, each
   * time as if they alone were there, and written to one place.
   *
   * @param context that of each of the batch's {@code count} streams
   */
  public static void distinct(String operation, int count, IntFunction<Context> context) {
    for (int i = 1; i < count; i++) {
      Context own = context.apply(i);
      for (int j = 0; j < i; j++) {
        if (context.apply(j) == own) {
          throw new IllegalArgumentException(
              "%s: streams %d and %d of the batch have the same context; expected one context for"
                      .formatted(operation, j, i)
                  + " each; give a stream's further rows to the next batch");
        }
      }
    }
  }
}
