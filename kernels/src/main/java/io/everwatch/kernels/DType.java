// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** Storage type of a tensor. */
public enum DType {
  F32(4),
  BF16(2),
  F16(2);

  private final int sizeBytes;

  DType(int sizeBytes) {
    this.sizeBytes = sizeBytes;
  }

  /** Bytes of one element. */
  public int sizeBytes() {
    return sizeBytes;
  }
}
