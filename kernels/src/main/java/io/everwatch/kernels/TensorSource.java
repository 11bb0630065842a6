// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;

/**
 * A tensor of a checkpoint, read piece by piece as float32 whatever its stored type, so that
 * loading never needs a second copy of a large matrix.
 */
public interface TensorSource {
  /** Name for messages, as in the checkpoint. */
  String name();

  /** Shape, outermost dimension first, row-major. */
  List<Long> shape();

  /** Copies elements {@code [from, from + count)}, widened to float32, to {@code to[at..]}. */
  void read(long from, float[] to, int at, int count);

  /** Product of the shape. */
  default long elements() {
    return shape().stream().reduce(1L, Math::multiplyExact);
  }
}
