// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.List;
import java.util.function.BiFunction;

/**
 * The {@link FrameLayout}s of all frame pairs of a batch one behind the other.
 *
 * @param windows patches per attention window
 * @param frames patches per frame pair; in window order a pair is still contiguous
 * @param order merge group of the batch, in processor order, at each place of the window order
 * @param angles {@code [patches, headDim / 2]}, in window order
 */
record TowerLayout(int[] windows, int[] frames, int[] order, float[] angles) {
  /**
   * @param frame layout of a frame pair by its height and width in patches
   */
  static TowerLayout of(
      List<? extends VisionClip> clips, BiFunction<Integer, Integer, FrameLayout> frame) {
    List<FrameLayout> pairs =
        clips.stream()
            .flatMap(
                clip ->
                    java.util.Collections.nCopies(
                        clip.frames(), frame.apply(clip.height(), clip.width()))
                        .stream())
            .toList();
    int[] windows = new int[pairs.stream().mapToInt(pair -> pair.windowLengths().length).sum()];
    int[] frames = new int[pairs.size()];
    int[] order = new int[pairs.stream().mapToInt(pair -> pair.order().length).sum()];
    float[] angles = new float[pairs.stream().mapToInt(pair -> pair.angles().length).sum()];
    int window = 0;
    int group = 0;
    int angle = 0;
    for (int n = 0; n < frames.length; n++) {
      FrameLayout pair = pairs.get(n);
      for (int length : pair.windowLengths()) {
        windows[window++] = length;
        frames[n] += length;
      }
      for (int i = 0; i < pair.order().length; i++) {
        order[group + i] = group + pair.order()[i];
      }
      group += pair.order().length;
      System.arraycopy(pair.angles(), 0, angles, angle, pair.angles().length);
      angle += pair.angles().length;
    }
    return new TowerLayout(windows, frames, order, angles);
  }

  /** For each patch in processor order its place in the window order. */
  int[] places(int patchesPerGroup) {
    int[] places = new int[order.length * patchesPerGroup];
    for (int place = 0; place < order.length; place++) {
      for (int i = 0; i < patchesPerGroup; i++) {
        places[order[place] * patchesPerGroup + i] = place * patchesPerGroup + i;
      }
    }
    return places;
  }
}
