// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;

/** What launchers have in common. */
final class Launches {
  private static final int ALIGNMENT = 16; // of the widest load

  private Launches() {}

  /** Ending of the kernels for activations of that type. */
  static String suffix(DType activation) {
    return switch (activation) {
      case BF16 -> "_bf16";
      case F32 -> "_f32";
      case F16 ->
          throw new IllegalArgumentException(
              "activations of type F16; expected BF16 or F32, there are no kernels for others");
    };
  }

  static int ceil(int count, int part) {
    return (int) (((long) count + part - 1) / part);
  }

  static void aligned(String operation, long... addresses) {
    for (long address : addresses) {
      if (address % ALIGNMENT != 0) {
        throw new IllegalArgumentException(
            "%s: address 0x%x; expected all aligned to %d bytes"
                .formatted(operation, address, ALIGNMENT));
      }
    }
  }
}
