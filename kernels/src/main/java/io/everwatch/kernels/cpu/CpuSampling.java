// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Sampler;

/** Tokens from logits, row after row. */
final class CpuSampling {
  private float[] row = new float[0]; // of the last vocabulary

  /** See {@link io.everwatch.kernels.Backend#sample}. */
  int[] sample(CpuBuffer logits, CpuVocabulary vocabulary, CpuBatch batch) {
    if (batch.draws().size() != batch.outputs()) {
      throw new IllegalArgumentException(
          "sample: the batch of %d outputs has %d draws; expected one for each; give them when the batch is made"
              .formatted(batch.outputs(), batch.draws().size()));
    }
    if (row.length != vocabulary.limit()) {
      row = new float[vocabulary.limit()];
    }
    int[] tokens = new int[batch.outputs()];
    for (int i = 0; i < tokens.length; i++) {
      System.arraycopy(
          logits.data, logits.from + i * vocabulary.width(), row, 0, vocabulary.limit());
      tokens[i] =
          Sampler.next(row, vocabulary.unused(), batch.contextOf(i).seen(), batch.draws().get(i));
    }
    return tokens;
  }
}
