// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.ArrayList;
import java.util.List;

/**
 * How the patches of one frame pair are rearranged into attention windows (Qwen2.5-VL
 * specification, section 7.3) and rotated (7.2): the same for every pair of one size.
 *
 * @param order merge group, in processor order, at each place of the window order
 * @param windowLengths patches of each window, in window order
 * @param angles {@code [height * width, headDim / 2]} radians, patches in window order
 */
record FrameLayout(int[] order, int[] windowLengths, float[] angles) {
  private static final double THETA = 10_000;

  /** Of a frame of {@code height} x {@code width} patches. */
  static FrameLayout of(int height, int width, VisionConfig config) {
    int merge = config.spatialMergeSize();
    int side = config.windowGroups();
    int groupRows = height / merge;
    int groupColumns = width / merge;
    int[] order = new int[groupRows * groupColumns];
    List<Integer> lengths = new ArrayList<>();
    int place = 0;
    for (int top = 0; top < groupRows; top += side) {
      for (int left = 0; left < groupColumns; left += side) {
        int before = place;
        for (int y = top; y < Math.min(top + side, groupRows); y++) {
          for (int x = left; x < Math.min(left + side, groupColumns); x++) {
            order[place++] = y * groupColumns + x;
          }
        }
        lengths.add((place - before) * merge * merge);
      }
    }
    return new FrameLayout(
        order,
        lengths.stream().mapToInt(Integer::intValue).toArray(),
        angles(order, groupColumns, config));
  }

  /** Half of a head's pairs turn with the patch's row, the other half with its column. */
  private static float[] angles(int[] order, int groupColumns, VisionConfig config) {
    int merge = config.spatialMergeSize();
    int pairs = config.headDim() / 2;
    float[] frequencies = new float[pairs / 2];
    for (int j = 0; j < frequencies.length; j++) {
      frequencies[j] = (float) Math.pow(THETA, -2.0 * j / pairs);
    }
    float[] angles = new float[order.length * merge * merge * pairs];
    int at = 0;
    for (int group : order) {
      for (int patch = 0; patch < merge * merge; patch++) {
        int row = group / groupColumns * merge + patch / merge;
        int column = group % groupColumns * merge + patch % merge;
        for (float frequency : frequencies) {
          angles[at++] = row * frequency;
        }
        for (float frequency : frequencies) {
          angles[at++] = column * frequency;
        }
      }
    }
    return angles;
  }
}
