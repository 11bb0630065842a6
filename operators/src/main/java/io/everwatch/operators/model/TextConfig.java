// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.List;

/**
 * Sizes of the language model (Qwen2.5-VL §3).
 *
 * @param mropeSection rotary pairs per axis: temporal, height, width; their sum is half the head
 *     dim
 * @param tieWordEmbeddings the output head is the embedding table
 */
public record TextConfig(
    int hiddenSize,
    int numLayers,
    int numHeads,
    int numKvHeads,
    int intermediateSize,
    int vocabSize,
    int maxPositionEmbeddings,
    float rmsNormEps,
    double ropeTheta,
    List<Integer> mropeSection,
    boolean tieWordEmbeddings) {
  public TextConfig {
    mropeSection = List.copyOf(mropeSection);
  }

  public int headDim() {
    return hiddenSize / numHeads;
  }

  /** Width of all K heads together. */
  public int kvSize() {
    return numKvHeads * headDim();
  }
}
