// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.List;

/**
 * Sizes of the vision tower (Qwen2.5-VL §3, §7).
 *
 * @param windowSize side of an attention window in pixels
 * @param fullAttentionBlocks blocks that attend over a whole frame pair, ascending
 * @param tokensPerSecond temporal position step per second
 */
public record VisionConfig(
    int depth,
    int hiddenSize,
    int numHeads,
    int intermediateSize,
    int inChannels,
    int outHiddenSize,
    int patchSize,
    int temporalPatchSize,
    int spatialMergeSize,
    int windowSize,
    List<Integer> fullAttentionBlocks,
    double tokensPerSecond) {
  public VisionConfig {
    fullAttentionBlocks = List.copyOf(fullAttentionBlocks);
  }

  public int headDim() {
    return hiddenSize / numHeads;
  }

  /** Numbers in one patch: channels x frames x height x width; 1176 as published. */
  public int patchWidth() {
    return inChannels * temporalPatchSize * patchSize * patchSize;
  }

  /** Width of the merger's input, one merge group; 5120 as published. */
  public int mergedSize() {
    return hiddenSize * spatialMergeSize * spatialMergeSize;
  }

  /** Side of a merge group in pixels; frames are resized to multiples of it; 28 as published. */
  public int mergedPatchSize() {
    return patchSize * spatialMergeSize;
  }

  /** Merge groups on the side of a window; 4 as published. */
  public int windowGroups() {
    return windowSize / mergedPatchSize();
  }
}
