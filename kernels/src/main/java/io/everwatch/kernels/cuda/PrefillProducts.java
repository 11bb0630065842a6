// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

/**
 * {@code linear_prefill.cu}: many rows by {@code mma.sync}, on every device. The height of a tile
 * follows from T and the device, and changes no bit.
 */
final class PrefillProducts implements Products {
  // As in linear_prefill.cu.
  private static final int LOW = 64;
  private static final int HIGH = 128;
  private static final int BLOCK = 256;
  private static final int STAGES = 3;
  private static final int ROW_BYTES = 128;

  private final int multiprocessors;
  private final Kernels low;
  private final Kernels high;

  PrefillProducts(CudaDevice device) {
    this(device, device.multiprocessors());
  }

  /**
   * @param multiprocessors that tiles are spread over; another number in tests
   */
  PrefillProducts(CudaDevice device, int multiprocessors) {
    KernelModule module = KernelModule.load(device, "linear_prefill");
    this.multiprocessors = multiprocessors;
    low = Kernels.of(module, "linear_prefill_" + LOW);
    high = Kernels.of(module, "linear_prefill_" + HIGH);
  }

  @Override
  public void launch(
      CudaStream stream, long x, CudaMatrix w, long bias, int tokens, Output output, long out) {
    int across = Launches.ceil(w.rows(), CudaMatrix.TILE_ROWS);
    // High tiles read the weights half as often; low ones occupy more of the device.
    boolean enough = (long) Launches.ceil(tokens, HIGH) * across >= multiprocessors;
    int height = tokens > LOW && enough ? HIGH : LOW;
    Kernel kernel = (height == HIGH ? high : low).of(output);
    kernel.launch(
        stream,
        Math.multiplyExact(Launches.ceil(tokens, height), across),
        1,
        1,
        BLOCK,
        STAGES * (height + CudaMatrix.TILE_ROWS) * ROW_BYTES,
        Products.args(kernel, x, w, bias, tokens, out));
  }

  @Override
  public String numerics() {
    return "mma.sync in order of k";
  }
}
