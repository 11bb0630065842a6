// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

/**
 * Positions counted anew over the retained rows (StreamingVLM §8.1, {@code shrink}), so that they
 * stay near the length of the memory however long the stream runs. With a running value {@code N}:
 *
 * <pre>
 *   text row                t = h = w = N                            then N += 1
 *   pad (a, r, c) of a clip t = N + a * timeStep, h = N + r, w = N + c
 *                           then N = 1 + the largest of all three
 * </pre>
 *
 * Start and end marker of a clip are text. Times are not truncated: above 2 frames per second they
 * are fractional, in the text behind a clip too. {@code a * timeStep} is a float32 product; the
 * running value is kept in double and rounded to float32 once per row, as the fixtures were made.
 */
public final class ContiguousPositions implements PositionMode {
  @Override
  public float[][] positions(StreamMemory memory) {
    float[][] out = new float[3][memory.rows()];
    double next = 0;
    int row = 0;
    for (Slice slice : memory.slices()) {
      next = count(out, row, slice, next);
      row += slice.rows();
    }
    return out;
  }

  /** Time component of the last row, without counting each; 0 of a memory without rows. */
  public static double last(StreamMemory memory) {
    double next = 0;
    for (Slice slice : memory.slices()) {
      VideoGrid grid = slice.segment().grid();
      if (slice.kind() == SegmentKind.VISION && grid != null) {
        next += 1 + 1 + grid.extent() + 1; // start marker, clip, end marker
      } else {
        next += slice.rows();
      }
    }
    return Math.max(0, next - 1);
  }

  /**
   * Counts the rows of one slice from {@code start} on.
   *
   * @param row of the first of them in {@code out}
   * @return the position behind the last
   */
  static double count(float[][] out, int row, Slice slice, double start) {
    VideoGrid grid = slice.segment().grid();
    if (slice.kind() != SegmentKind.VISION) {
      return text(out, row, slice.rows(), start);
    }
    if (grid == null) {
      throw new IllegalArgumentException(
          ("VISION segment %d of round %d has no grid; expected the grid of its pads; "
                  + "set it where the segment is made")
              .formatted(slice.segment().id(), slice.round()));
    }
    requireWhole(slice, grid);
    double clip = text(out, row, 1, start);
    double behind = clip(out, row + 1, grid, clip);
    return text(out, row + 1 + grid.tokens(), 1, behind);
  }

  private static double text(float[][] out, int row, int rows, double start) {
    double next = start;
    for (int i = row; i < row + rows; i++) {
      out[0][i] = (float) next;
      out[1][i] = (float) next;
      out[2][i] = (float) next;
      next += 1;
    }
    return next;
  }

  private static double clip(float[][] out, int row, VideoGrid grid, double start) {
    int i = row;
    for (int a = 0; a < grid.frames(); a++) {
      float time = a * grid.timeStep();
      for (int r = 0; r < grid.height(); r++) {
        for (int c = 0; c < grid.width(); c++) {
          out[0][i] = (float) (start + time);
          out[1][i] = (float) (start + r);
          out[2][i] = (float) (start + c);
          i++;
        }
      }
    }
    return start + 1 + grid.extent();
  }

  private static void requireWhole(Slice slice, VideoGrid grid) {
    int expected = Math.addExact(grid.tokens(), 2);
    if (slice.rows() != expected) {
      throw new IllegalArgumentException(
          ("VISION slice [%d, %d) of segment %d with a grid of %dx%dx%d; expected "
                  + "start marker, %d pads and end marker together; clips are kept or dropped whole")
              .formatted(
                  slice.from(),
                  slice.to(),
                  slice.segment().id(),
                  grid.frames(),
                  grid.height(),
                  grid.width(),
                  grid.tokens()));
    }
  }
}
