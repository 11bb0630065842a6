// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;

/**
 * The products {@code y = x w^T + bias}. Shapes: x {@code [T, K]} of the activation type, w {@code
 * [N, K]}, y {@code [T, N]}; any size.
 *
 * <p><b>Batch invariance.</b> The order of a row's sums follows from N, K and the phase alone: the
 * family of kernels, and for {@link Phase#DECODE} the number of parts of K. What else is chosen
 * from T and the device, tokens and outputs of a block, changes no bit.
 *
 * <p>One thread at a time. A launch makes no garbage, needs no memory beside its arguments and can
 * be captured in a graph.
 */
final class CudaLinear {
  /** Whose rows they are; never mixed in one call (architecture §5). */
  enum Phase {
    /** New rounds and the vision tower: many rows. */
    PREFILL,
    /** Generated tokens: one row per stream. */
    DECODE
  }

  private final DType activation;
  private final Products prefill;
  private final Products decode;

  /**
   * @param activation A, F32 or BF16: type of x and of the weights
   */
  CudaLinear(CudaDevice device, DType activation) {
    this(device, activation, device.hasWgmma());
  }

  /**
   * As {@link #CudaLinear(CudaDevice, DType)}.
   *
   * @param wgmma whether prefill takes the kernels for 9.0, which no other device has
   */
  CudaLinear(CudaDevice device, DType activation, boolean wgmma) {
    this.activation = activation;
    switch (activation) {
      case F32 -> {
        prefill = new PlainProducts(device);
        decode = prefill;
      }
      case BF16 -> {
        prefill = wgmma ? new HopperProducts(device) : new PrefillProducts(device);
        decode = new DecodeProducts(device);
      }
      default ->
          throw new IllegalArgumentException(
              "products of type %s; expected BF16 or F32, there are no kernels for others"
                  .formatted(activation));
    }
  }

  /** What decides the bits of a row beside its values, the matrix and the phase. */
  String numerics() {
    return "%s products: prefill %s; decode %s"
        .formatted(activation, prefill.numerics(), decode.numerics());
  }

  /**
   * {@code out = x w^T + bias}, or {@code out += x w^T + bias}.
   *
   * @param x address of {@code [T, K]} of A, aligned to 16 bytes
   * @param bias address of {@code [N]} f32, or 0: none
   * @param tokens T; zero launches nothing
   * @param out address of {@code [T, N]}, aligned to 16 bytes; must not overlap x
   */
  void multiply(
      CudaStream stream,
      Phase phase,
      long x,
      CudaMatrix w,
      long bias,
      int tokens,
      Products.Output output,
      long out) {
    if (tokens < 0) {
      throw new IllegalArgumentException(
          "linear: %d tokens for weights %s; expected zero or more".formatted(tokens, w.name()));
    }
    if (w.type() != activation || (activation == DType.F32 && output == Products.Output.BF16)) {
      throw new IllegalArgumentException(
          "linear: weights %s of type %s to an output %s; expected %s, the type of the activations,"
                  .formatted(w.name(), w.type(), output, activation)
              + " and no bf16 output of f32 activations");
    }
    Launches.aligned("linear", x, out);
    if (tokens == 0) {
      return;
    }
    long xEnd = x + (long) tokens * w.columns() * activation.sizeBytes();
    int outSize = (output == Products.Output.BF16 ? DType.BF16 : DType.F32).sizeBytes();
    long outEnd = out + (long) tokens * w.rows() * outSize;
    if (x < outEnd && out < xEnd) {
      throw new IllegalArgumentException(
          "linear: x [0x%x, 0x%x) and out [0x%x, 0x%x) of weights %s overlap; expected two buffers"
              .formatted(x, xEnd, out, outEnd, w.name()));
    }
    products(phase).launch(stream, x, w, bias, tokens, output, out);
  }

  /** The family of a phase, unchecked. */
  Products products(Phase phase) {
    return switch (phase) {
      case PREFILL -> prefill;
      case DECODE -> decode;
    };
  }
}
