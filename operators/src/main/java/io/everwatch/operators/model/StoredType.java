// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.Arrays;
import java.util.Optional;

/** Element types of the safetensors container that Everwatch reads; names as in the header. */
enum StoredType {
  F64(8, true),
  F32(4, true),
  F16(2, true),
  BF16(2, true),
  I64(8, false),
  I32(4, false),
  I16(2, false),
  I8(1, false),
  U8(1, false),
  BOOL(1, false);

  private final int sizeBytes;
  private final boolean real;

  StoredType(int sizeBytes, boolean real) {
    this.sizeBytes = sizeBytes;
    this.real = real;
  }

  int sizeBytes() {
    return sizeBytes;
  }

  /** A floating-point type, as weights must be. */
  boolean isReal() {
    return real;
  }

  static Optional<StoredType> of(String name) {
    return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
  }
}
