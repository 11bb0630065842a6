// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

/** {@code linear_f32.cu}: the plain path, the same kernel in both phases. */
final class PlainProducts implements Products {
  // As in linear_f32.cu.
  private static final int SIDE = 64;
  private static final int BLOCK = 256;

  private final Kernel store;
  private final Kernel add;

  PlainProducts(CudaDevice device) {
    KernelModule module = KernelModule.load(device, "linear_f32");
    store = module.kernel("linear_f32");
    add = module.kernel("linear_f32_add");
  }

  @Override
  public void launch(
      CudaStream stream, long x, CudaMatrix w, long bias, int tokens, Output output, long out) {
    Kernel kernel = output == Output.ADD ? add : store;
    kernel.launch(
        stream,
        Launches.ceil(w.rows(), SIDE),
        Launches.ceil(tokens, SIDE),
        1,
        BLOCK,
        0,
        Products.args(kernel, x, w, bias, tokens, out));
  }

  @Override
  public String numerics() {
    return "f32 fma in order of k";
  }
}
