// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.everwatch.kernels.DType;
import java.util.function.Function;

/** Every way to compute a product, each as some device and matrix choose it. */
enum ProductFamily {
  PLAIN(DType.F32, PlainProducts::new),
  DECODE_IN_FOUR_PARTS(
      DType.BF16, device -> new DecodeProducts(device, device.maxSharedBytes(), 1 << 20)),
  DECODE_IN_TWO_PARTS(DType.BF16, device -> new DecodeProducts(device, device.maxSharedBytes(), 1)),
  PREFILL_LOW_TILES(DType.BF16, device -> new PrefillProducts(device, Integer.MAX_VALUE)),
  PREFILL_HIGH_TILES(DType.BF16, device -> new PrefillProducts(device, 1)),
  HOPPER_NARROW_TILES(DType.BF16, device -> new HopperProducts(device, 2, 0)),
  HOPPER_WIDE_TILES(DType.BF16, device -> new HopperProducts(device, 2, 1000));

  private final DType type;
  private final Function<CudaDevice, Products> products;

  ProductFamily(DType type, Function<CudaDevice, Products> products) {
    this.type = type;
    this.products = products;
  }

  DType type() {
    return type;
  }

  /** On a real GPU without its instructions the test is skipped. */
  Products on(CudaDevice device) {
    boolean hopper = this == HOPPER_NARROW_TILES || this == HOPPER_WIDE_TILES;
    assumeTrue(!hopper || device.emulated() || device.hasWgmma(), device + " has no wgmma");
    return products.apply(device);
  }
}
