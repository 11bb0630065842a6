// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Vector;

/**
 * A gain or a bias, always float32.
 *
 * @param address of {@code [length]}
 */
record CudaVector(String name, int length, long address) implements Vector {
  /** Its address, when it is one of this back end and of that length. */
  static long of(Vector vector, String operation, int length) {
    if (!(vector instanceof CudaVector mine)) {
      throw new IllegalArgumentException(
          "%s: vector %s is a %s; expected one of the cuda back end"
              .formatted(operation, vector.name(), vector.getClass().getName()));
    }
    if (mine.length != length) {
      throw new IllegalArgumentException(
          "%s: vector %s has %d values, but the rows have width %d; is it of another layer?"
              .formatted(operation, mine.name, mine.length, length));
    }
    return mine.address;
  }
}
