// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.everwatch.kernels.DType;
import java.util.List;
import java.util.function.Function;

/** Every way to compute a product, each as some device and matrix choose it. */
@SuppressWarnings("ImmutableEnumChecker") // a function without state
enum ProductFamily {
  PLAIN(DType.F32, PlainProducts::new),
  DECODE_IN_FOUR_PARTS(
      DType.BF16, device -> new DecodeProducts(device, device.maxSharedBytes(), 1 << 20)),
  DECODE_IN_TWO_PARTS(DType.BF16, device -> new DecodeProducts(device, device.maxSharedBytes(), 1)),
  PREFILL_LOW_TILES(DType.BF16, device -> new PrefillProducts(device, Integer.MAX_VALUE)),
  PREFILL_HIGH_TILES(DType.BF16, device -> new PrefillProducts(device, 1)),
  HOPPER_TILES_OF_128(DType.BF16, device -> hopper(device, 128)),
  HOPPER_TILES_OF_192(DType.BF16, device -> hopper(device, 192)),
  HOPPER_TILES_OF_256(DType.BF16, device -> hopper(device, 256));

  private final DType type;
  private final Function<CudaDevice, Products> products;

  ProductFamily(DType type, Function<CudaDevice, Products> products) {
    this.type = type;
    this.products = products;
  }

  DType type() {
    return type;
  }

  boolean usesWgmma() {
    return name().startsWith("HOPPER");
  }

  Products on(CudaDevice device) {
    return products.apply(device);
  }

  /** Two blocks, so that each takes several tiles. On another real GPU the test is skipped. */
  private static Products hopper(CudaDevice device, int rows) {
    assumeTrue(device.emulated() || device.hasWgmma(), device + " has no wgmma");
    return new HopperProducts(device, 2, List.of(new HopperProducts.Width(rows, 100)));
  }
}
