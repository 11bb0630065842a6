// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.util.Arrays;
import java.util.List;

/**
 * {@code linear_prefill_sm90a.cu}: many rows by {@code wgmma}, on compute capability 9.0 alone. The
 * width of a tile follows from T and the device, and changes no bit.
 */
final class HopperProducts implements Products {
  // As in linear_prefill_sm90a.cu.
  private static final int TOKENS = 128;
  private static final int BLOCK = 384;
  private static final int SHARED_BYTES = 192 * 1024 + 128;

  /**
   * Tiles to choose from.
   *
   * @param rows outputs
   * @param cost of an output beside one of the widest tile, in percent: narrow tiles read up to 4/3
   *     as many bytes from L2 per operation. By arithmetic; not measured yet
   */
  record Width(int rows, int cost) {}

  private static final List<Width> WIDTHS =
      List.of(new Width(128, 115), new Width(192, 105), new Width(256, 100));

  private final int multiprocessors;
  private final Width[] widths;
  private final Kernels[] kernels;

  HopperProducts(CudaDevice device) {
    this(device, device.multiprocessors());
  }

  /**
   * @param multiprocessors blocks at most; another number in tests
   */
  HopperProducts(CudaDevice device, int multiprocessors) {
    this(device, multiprocessors, WIDTHS);
  }

  /**
   * @param widths to choose from; single ones in tests
   */
  HopperProducts(CudaDevice device, int multiprocessors, List<Width> widths) {
    this.multiprocessors = multiprocessors;
    this.widths = widths.toArray(Width[]::new);
    KernelModule module = KernelModule.load(device, "linear_prefill_sm90a");
    kernels =
        Arrays.stream(this.widths)
            .map(width -> Kernels.of(module, "linear_prefill_sm90a_" + width.rows))
            .toArray(Kernels[]::new);
  }

  @Override
  public void launch(
      CudaStream stream, long x, CudaMatrix w, long bias, int tokens, Output output, long out) {
    int best = 0;
    long bestTime = Long.MAX_VALUE;
    for (int i = 0; i < widths.length; i++) {
      // Tiles in rounds of one per multiprocessor.
      long rounds = Launches.ceil(tiles(tokens, w, widths[i]), multiprocessors);
      long time = rounds * widths[i].rows * widths[i].cost;
      if (time < bestTime) {
        best = i;
        bestTime = time;
      }
    }
    Kernel kernel = kernels[best].of(output);
    kernel.launch(
        stream,
        Math.min(tiles(tokens, w, widths[best]), multiprocessors),
        1,
        1,
        BLOCK,
        SHARED_BYTES,
        Products.args(kernel, x, w, bias, tokens, out));
  }

  private static int tiles(int tokens, CudaMatrix w, Width width) {
    return Math.multiplyExact(Launches.ceil(tokens, TOKENS), Launches.ceil(w.rows(), width.rows));
  }

  @Override
  public String numerics() {
    return "wgmma in order of k";
  }
}
