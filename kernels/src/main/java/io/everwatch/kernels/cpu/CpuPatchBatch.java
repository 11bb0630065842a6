// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.PatchBatch;
import java.util.List;

/**
 * See {@link PatchBatch}.
 *
 * @param factors cosines of a patch's D/2 angles, then as many sines: [T, 2, D/2]
 * @param segmentations patches of each segment
 */
record CpuPatchBatch(int patches, int headDim, float[] factors, List<int[]> segmentations)
    implements PatchBatch {
  /** Checks that the segments of each segmentation cover the patches. */
  static CpuPatchBatch of(float[] angles, int headDim, List<int[]> segmentations) {
    int pairs = headDim / 2;
    if (headDim < 2 || headDim % 2 != 0 || angles.length % pairs != 0) {
      throw new IllegalArgumentException(
          "patchBatch: %d angles for head dim %d; expected [patches, D/2] with D even"
              .formatted(angles.length, headDim));
    }
    int patches = angles.length / pairs;
    for (int[] lengths : segmentations) {
      long sum = 0;
      for (int length : lengths) {
        sum += length;
      }
      if (sum != patches) {
        throw new IllegalArgumentException(
            "patchBatch: segments of %d patches in all, but angles for %d; do the segments cover"
                    .formatted(sum, patches)
                + " all patches?");
      }
    }
    float[] factors = new float[2 * angles.length];
    for (int t = 0; t < patches; t++) {
      for (int i = 0; i < pairs; i++) {
        float angle = angles[t * pairs + i];
        factors[2 * t * pairs + i] = (float) Math.cos(angle);
        factors[(2 * t + 1) * pairs + i] = (float) Math.sin(angle);
      }
    }
    return new CpuPatchBatch(patches, headDim, factors, segmentations);
  }
}
