// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.cache.VideoGrid;
import java.util.Iterator;
import java.util.List;

/**
 * Three-axis positions of a whole prompt with pictures and clips (Qwen2.5-VL specification, section
 * 8.1). The streaming mode counts over its memory instead; see {@code operators.cache}.
 *
 * @param positions {@code [3][n]}: time, height, width
 * @param next position, on all axes, of the first token after the prompt
 */
public record RopePositions(float[][] positions, float next) {
  /** {@code max + 1 - n}: what a later token's index lacks to its position. */
  public float delta() {
    return next - positions[0].length;
  }

  /**
   * Positions of a prompt.
   *
   * @param pictures grids of the runs of picture pads in {@code ids}, in order; time step 0
   * @param clips grids of the runs of video pads, in order
   * @param quantise truncate the time component after multiplying, as the published model does; the
   *     streaming mode does not
   * @throws IllegalArgumentException if pads and grids do not belong together
   */
  public static RopePositions of(
      int[] ids,
      ModelTokens tokens,
      List<VideoGrid> pictures,
      List<VideoGrid> clips,
      boolean quantise) {
    Walk walk = new Walk(ids.length, quantise);
    Iterator<VideoGrid> nextPicture = pictures.iterator();
    Iterator<VideoGrid> nextClip = clips.iterator();
    for (int i = 0; i < ids.length; ) {
      Iterator<VideoGrid> grids =
          ids[i] == tokens.imagePad() ? nextPicture : ids[i] == tokens.videoPad() ? nextClip : null;
      if (grids == null) {
        walk.text();
        i++;
        continue;
      }
      if (!grids.hasNext()) {
        throw unmatched("pads at index %d without a grid".formatted(i));
      }
      VideoGrid grid = grids.next();
      for (int end = i + grid.tokens(), pad = ids[i]; i < end; i++) {
        if (i == ids.length || ids[i] != pad) {
          throw unmatched(
              "pads end at index %d, %d before those of a grid of %dx%dx%d"
                  .formatted(i, end - i, grid.frames(), grid.height(), grid.width()));
        }
      }
      walk.vision(grid);
    }
    if (nextPicture.hasNext() || nextClip.hasNext()) {
      throw unmatched("grids are left over");
    }
    return new RopePositions(walk.out, (float) walk.next);
  }

  private static IllegalArgumentException unmatched(String what) {
    return new IllegalArgumentException(
        "the prompt's "
            + what
            + "; expected one run of frames * height * width pads per grid, pictures and clips each"
            + " in their own order; repeat each placeholder by its grid's tokens");
  }

  /** The running value and what was assigned so far. */
  private static final class Walk {
    private final float[][] out;
    private final boolean quantise;
    private double next;
    private int row;

    Walk(int rows, boolean quantise) {
      this.out = new float[3][rows];
      this.quantise = quantise;
    }

    void text() {
      put(next, next, next);
      next += 1;
    }

    void vision(VideoGrid grid) {
      double start = next;
      for (int a = 0; a < grid.frames(); a++) {
        float time = a * grid.timeStep(); // one float32 product, then the truncation
        double t = start + (quantise ? (long) time : time);
        for (int r = 0; r < grid.height(); r++) {
          for (int c = 0; c < grid.width(); c++) {
            put(t, start + r, start + c);
            next = Math.max(next, Math.max(t, start + Math.max(r, c)) + 1);
          }
        }
      }
    }

    private void put(double time, double height, double width) {
      out[0][row] = (float) time;
      out[1][row] = (float) height;
      out[2][row] = (float) width;
      row++;
    }
  }
}
