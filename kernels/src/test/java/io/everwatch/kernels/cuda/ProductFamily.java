// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.everwatch.kernels.DType;
import java.util.List;

/** Every way to compute a product, each as some device and matrix choose it. */
@SuppressWarnings("ImmutableEnumChecker") // a function without state
enum ProductFamily {
  PLAIN,
  DECODE_IN_FOUR_PARTS,
  DECODE_IN_TWO_PARTS,
  PREFILL_LOW_TILES,
  PREFILL_HIGH_TILES,
  HOPPER_TILES_OF_128,
  HOPPER_TILES_OF_192,
  HOPPER_TILES_OF_256;

  DType type() {
    return this == PLAIN ? DType.F32 : DType.BF16;
  }

  boolean usesWgmma() {
    return name().startsWith("HOPPER");
  }

  Products on(CudaDevice device) {
    return switch (this) {
      case PLAIN -> new PlainProducts(device);
      case DECODE_IN_FOUR_PARTS -> new DecodeProducts(device, device.maxSharedBytes(), 1 << 20);
      case DECODE_IN_TWO_PARTS -> new DecodeProducts(device, device.maxSharedBytes(), 1);
      case PREFILL_LOW_TILES -> new PrefillProducts(device, Integer.MAX_VALUE);
      case PREFILL_HIGH_TILES -> new PrefillProducts(device, 1);
      case HOPPER_TILES_OF_128 -> hopper(device, 128);
      case HOPPER_TILES_OF_192 -> hopper(device, 192);
      case HOPPER_TILES_OF_256 -> hopper(device, 256);
    };
  }

  /** Two blocks, so that each takes several tiles. On another real GPU the test is skipped. */
  private static Products hopper(CudaDevice device, int rows) {
    assumeTrue(device.emulated() || device.hasWgmma(), device + " has no wgmma");
    return new HopperProducts(device, 2, List.of(new HopperProducts.Width(rows, 100)));
  }
}
