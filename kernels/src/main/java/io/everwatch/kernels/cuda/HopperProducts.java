// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

/**
 * {@code linear_prefill_sm90a.cu}: many rows by {@code wgmma}, on compute capability 9.0 alone. The
 * width of a tile follows from T and the device, and changes no bit.
 */
final class HopperProducts implements Products {
  // As in linear_prefill_sm90a.cu.
  private static final int TOKENS = 128;
  private static final int NARROW = 128;
  private static final int WIDE = 256;
  private static final int BLOCK = 384;
  private static final int SHARED_BYTES = 192 * 1024 + 128;

  /**
   * What an output of a narrow tile costs beside one of a wide tile, in percent: it reads 4/3 as
   * many bytes from L2 per operation. By arithmetic; not measured yet.
   */
  private static final int NARROW_COST = 115;

  private final int multiprocessors;
  private final int narrowCost;
  private final Kernel[] narrow;
  private final Kernel[] wide;

  HopperProducts(CudaDevice device) {
    this(device, device.multiprocessors(), NARROW_COST);
  }

  /**
   * @param multiprocessors blocks at most; another number in tests
   * @param narrowCost in percent of a wide tile's; another number in tests
   */
  HopperProducts(CudaDevice device, int multiprocessors, int narrowCost) {
    this.multiprocessors = multiprocessors;
    this.narrowCost = narrowCost;
    KernelModule module = KernelModule.load(device, "linear_prefill_sm90a");
    narrow = Products.kernels(module, "linear_prefill_sm90a_" + NARROW);
    wide = Products.kernels(module, "linear_prefill_sm90a_" + WIDE);
  }

  @Override
  public void launch(
      CudaStream stream, long x, CudaMatrix w, long bias, int tokens, Output output, long out) {
    int down = Launches.ceil(tokens, TOKENS);
    int narrowTiles = Math.multiplyExact(down, Launches.ceil(w.rows(), NARROW));
    int wideTiles = Math.multiplyExact(down, Launches.ceil(w.rows(), WIDE));
    long narrowTime = (long) Launches.ceil(narrowTiles, multiprocessors) * NARROW * narrowCost;
    long wideTime = (long) Launches.ceil(wideTiles, multiprocessors) * WIDE * 100;
    boolean useWide = wideTime <= narrowTime;
    Kernel kernel = (useWide ? wide : narrow)[output.ordinal()];
    kernel.launch(
        stream,
        Math.min(useWide ? wideTiles : narrowTiles, multiprocessors),
        1,
        1,
        BLOCK,
        SHARED_BYTES,
        Products.args(kernel, x, w, bias, tokens, out));
  }

  @Override
  public String numerics() {
    return "wgmma in order of k";
  }
}
