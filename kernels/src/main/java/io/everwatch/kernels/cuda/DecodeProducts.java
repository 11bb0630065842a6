// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * {@code linear_decode.cu}: few rows, at the speed of reading the weights. K is cut into two or
 * four runs, a function of N alone; how many tokens a block takes follows from T and from the
 * device's shared memory, and changes no bit.
 */
final class DecodeProducts implements Products {
  /** From here on blocks of 128 rows are enough for the 132 multiprocessors of an H200. */
  static final int MANY_ROWS = 128 * 128;

  private static final int MANY_ROWS_PARTS = 2;
  private static final int FEW_ROWS_PARTS = 4;

  /**
   * A block's shape, as in linear_decode.cu.
   *
   * @param parts runs of K
   * @param tokens most tokens of a block
   * @param rows outputs of a block
   * @param stages tiles of each part's ring
   */
  private record Shape(int parts, int tokens, int rows, int threads, int stages) {
    int sharedBytes() {
      int rowBytes = CudaMatrix.TILE_COLUMNS * 2;
      return parts * stages * (rows + tokens) * rowBytes;
    }
  }

  private static final List<Shape> FEW_ROWS =
      List.of(
          new Shape(FEW_ROWS_PARTS, 8, 16, 128, 6),
          new Shape(FEW_ROWS_PARTS, 16, 32, 128, 4),
          new Shape(FEW_ROWS_PARTS, 32, 64, 256, 3),
          new Shape(FEW_ROWS_PARTS, 64, 64, 256, 3));
  private static final List<Shape> MANY_ROWS_SHAPES =
      List.of(
          new Shape(MANY_ROWS_PARTS, 8, 32, 128, 7),
          new Shape(MANY_ROWS_PARTS, 16, 64, 128, 4),
          new Shape(MANY_ROWS_PARTS, 32, 128, 256, 4),
          new Shape(MANY_ROWS_PARTS, 64, 128, 256, 4));

  private record Choice(Shape shape, Kernels kernels) {}

  private final int threshold;
  private final List<Choice> fewRows;
  private final List<Choice> manyRows;

  DecodeProducts(CudaDevice device) {
    this(device, device.maxSharedBytes(), MANY_ROWS);
  }

  /**
   * @param sharedBytes of a block at most: 227 KiB on 9.0, 163 on 8.0, 99 on 8.6 and 8.9
   * @param threshold outputs from which on K is cut into two parts; small in tests
   */
  DecodeProducts(CudaDevice device, int sharedBytes, int threshold) {
    this.threshold = threshold;
    KernelModule module = KernelModule.load(device, "linear_decode");
    fewRows = choices(module, FEW_ROWS, sharedBytes);
    manyRows = choices(module, MANY_ROWS_SHAPES, sharedBytes);
  }

  private static List<Choice> choices(KernelModule module, List<Shape> shapes, int sharedBytes) {
    List<Choice> choices = new ArrayList<>();
    for (Shape shape : shapes) {
      if (shape.sharedBytes() <= sharedBytes) {
        String name = "linear_decode_%dx%d".formatted(shape.parts, shape.tokens);
        choices.add(new Choice(shape, Kernels.of(module, name)));
      }
    }
    if (choices.isEmpty()) {
      throw new IllegalArgumentException(
          "linear_decode: blocks have at most %,d bytes of shared memory; expected at least %,d, a"
                  .formatted(sharedBytes, shapes.get(0).sharedBytes())
              + " device of compute capability 8.0 or later");
    }
    return choices;
  }

  @Override
  public void launch(
      CudaStream stream, long x, CudaMatrix w, long bias, int tokens, Output output, long out) {
    Choice choice = choice(w.rows() >= threshold ? manyRows : fewRows, tokens);
    Shape shape = choice.shape;
    Kernel kernel = choice.kernels.of(output);
    kernel.launch(
        stream,
        Launches.ceil(tokens, shape.tokens),
        Launches.ceil(w.rows(), shape.rows),
        1,
        shape.threads,
        shape.sharedBytes(),
        Products.args(kernel, x, w, bias, tokens, out));
  }

  private static Choice choice(List<Choice> choices, int tokens) {
    int last = choices.size() - 1;
    for (int i = 0; i < last; i++) {
      if (tokens <= choices.get(i).shape.tokens) {
        return choices.get(i);
      }
    }
    return choices.get(last);
  }

  @Override
  public String numerics() {
    return "mma.sync, k in %d parts, %d from %d outputs"
        .formatted(FEW_ROWS_PARTS, MANY_ROWS_PARTS, threshold);
  }
}
