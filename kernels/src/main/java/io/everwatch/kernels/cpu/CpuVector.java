// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Vector;

/** A gain or a bias on the heap. */
record CpuVector(String name, float[] values) implements Vector {
  @Override
  public int length() {
    return values.length;
  }
}
