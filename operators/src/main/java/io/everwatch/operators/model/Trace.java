// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.DeviceBuffer;

/** Sees intermediate results of tower and decoder, for comparison with a reference. */
@FunctionalInterface
public interface Trace {
  /** Looks at nothing. */
  Trace NONE = (step, index, values, rows, columns) -> {};

  /** Where in the computation. */
  enum Step {
    /** Tower: embedded patches, in window order. */
    PATCH_EMBED,
    /** Tower: output of block {@code index}, in window order. */
    BLOCK,
    /** Decoder: input of layer {@code index}; of layer 0 the embeddings with vision rows. */
    LAYER_INPUT,
    /** Decoder: attention of layer {@code index}, before the output projection. */
    LAYER_ATTENTION,
    /** Decoder: what the output head sees. */
    FINAL_NORM
  }

  /**
   * Looks at one result.
   *
   * @param values {@code [rows, columns]}, valid during the call; must not be written to
   */
  void saw(Step step, int index, DeviceBuffer values, int rows, int columns);
}
