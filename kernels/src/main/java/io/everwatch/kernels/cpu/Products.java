// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.TensorSource;
import java.util.List;

/** A way to multiply by weights: the library's or the plain one. */
interface Products extends AutoCloseable {
  /**
   * Lays out weights; see {@link io.everwatch.kernels.Backend#matrix}.
   *
   * @param columns width of every part, already checked
   */
  CpuMatrix matrix(String name, List<? extends TensorSource> parts, int columns);

  /** Name, version and instruction set: what decides the bits. */
  String numerics();

  @Override
  void close();
}
