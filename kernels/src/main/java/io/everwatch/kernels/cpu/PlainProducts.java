// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.TensorSource;
import java.util.List;

/** Products in plain Java: the reference, and the fallback where the library is missing. */
final class PlainProducts implements Products {
  private final CpuThreads threads;

  PlainProducts(CpuThreads threads) {
    this.threads = threads;
  }

  @Override
  public CpuMatrix matrix(String name, List<? extends TensorSource> parts, int columns) {
    return PlainMatrix.of(name, parts, columns, threads);
  }

  @Override
  public String numerics() {
    return "plain java f32";
  }

  @Override
  public void close() {}
}
