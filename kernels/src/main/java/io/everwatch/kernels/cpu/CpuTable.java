// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Table;

/** An embedding table on the heap, one array per row: large vocabularies exceed one array. */
record CpuTable(String name, float[][] values, int columns) implements Table {
  @Override
  public int rows() {
    return values.length;
  }
}
