// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

/** Launches one family of product kernels; {@link CudaLinear} chooses it and checks arguments. */
interface Products {
  /** What becomes of {@code y = x w^T + bias}. */
  enum Output {
    /** Stored as bf16; not in the plain path. */
    BF16("_bf16"),
    /** Stored as f32. */
    F32("_f32"),
    /** Added to f32, the residual form. */
    ADD("_add");

    private final String suffix;

    Output(String suffix) {
      this.suffix = suffix;
    }

    /** Ending of the kernels' names. */
    String suffix() {
      return suffix;
    }
  }

  /**
   * Puts the product into the stream.
   *
   * @param x {@code [T, K]}
   * @param bias address of {@code [N]} f32, or 0: none
   * @param tokens T, at least one
   * @param out {@code [T, N]}
   */
  void launch(
      CudaStream stream, long x, CudaMatrix w, long bias, int tokens, Output output, long out);

  /** What decides the bits of a row beside its values and the matrix. */
  String numerics();

  /** All kernels of this family take the same arguments. */
  static Args args(Kernel kernel, long x, CudaMatrix w, long bias, int tokens, long out) {
    return kernel
        .args()
        .pointer(x)
        .pointer(w.address())
        .pointer(bias)
        .pointer(out)
        .i32(tokens)
        .i32(w.rows())
        .i32(w.columns());
  }

  /** The kernels of one form, by what becomes of y. */
  record Kernels(Kernel bf16, Kernel f32, Kernel add) {
    /** Those whose names begin so. */
    static Kernels of(KernelModule module, String name) {
      return new Kernels(
          module.kernel(name + Output.BF16.suffix()),
          module.kernel(name + Output.F32.suffix()),
          module.kernel(name + Output.ADD.suffix()));
    }

    Kernel of(Output output) {
      return switch (output) {
        case BF16 -> bf16;
        case F32 -> f32;
        case ADD -> add;
      };
    }
  }
}
