// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.benchmarks.gpu.Shapes.Product;
import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.SeededTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Products of prefill and vision. Each is compared with sums in double before it is timed. */
final class GemmPart {
  /** Of weights that are taken in turn, so that none comes from the device's cache. */
  private static final long BEYOND_CACHE = 256L << 20;

  private static final int MOST_COPIES = 8;

  /** Width of what the operand is made of. */
  private static final int SEED_WIDTH = 64;

  private static final int CHECKED_ROWS = 4;
  private static final int CHECKED_COLUMNS = 8;

  private final Check check;

  GemmPart(Check check) {
    this.check = check;
  }

  void run(Ledger ledger) {
    for (Product product : check.shapes().products()) {
      for (int m : check.shapes().tokens()) {
        ledger.item(product.item(m), () -> time(product, m));
      }
    }
  }

  private Map<String, Object> time(Product product, int m) {
    try (Backend backend = check.open();
        Arena arena = backend.arena()) {
      int copies = (int) Math.max(1, Math.min(MOST_COPIES, BEYOND_CACHE / product.bytes()));
      List<Matrix> weights = new ArrayList<>();
      for (int i = 0; i < copies; i++) {
        weights.add(backend.matrix("weights " + i, List.of(weights(product, i))));
      }
      DeviceBuffer x = operand(backend, arena, m, product.k());
      DeviceBuffer y = arena.allocate(m, product.n());
      backend.linear(x, weights.get(0), null, m, y);
      compare(backend, x, product, m, y);
      Timing.Result result =
          check
              .timing()
              .of(
                  i -> backend.linear(x, weights.get(i % copies), null, m, y),
                  () -> DriverPart.rest(backend, y));
      double flop = 2.0 * m * product.n() * product.k();
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("micros", result.medianNanos() / 1e3);
      figures.put("spread", result.spread());
      figures.put("tflops", flop / result.medianNanos() / 1e3);
      figures.put("n", product.n());
      figures.put("k", product.k());
      return figures;
    }
  }

  private static SeededTensor weights(Product product, int number) {
    return new SeededTensor(
        product.name(), List.of((long) product.n(), (long) product.k()), 1 + number, 0, 0.05f);
  }

  /** Values as after a layer, made on the device: a product with a narrow random matrix. */
  static DeviceBuffer operand(Backend backend, Arena arena, int rows, int columns) {
    Random random = new Random(rows * 31L + columns);
    float[] narrow = new float[rows * SEED_WIDTH];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) random.nextGaussian();
    }
    DeviceBuffer source = arena.allocate(rows, SEED_WIDTH);
    backend.upload(narrow, 0, narrow.length, source);
    SeededTensor spread =
        new SeededTensor("spread", List.of((long) columns, (long) SEED_WIDTH), 99, 0, 0.2f);
    DeviceBuffer made = arena.allocate(rows, columns);
    backend.linear(source, backend.matrix("spread", List.of(spread)), null, rows, made);
    return made;
  }

  /** Some outputs, those at the edges among them. */
  private static void compare(
      Backend backend, DeviceBuffer x, Product product, int m, DeviceBuffer y) {
    SeededTensor weights = weights(product, 0);
    Random random = new Random(m);
    int k = product.k();
    float[] row = new float[k];
    float[] column = new float[k];
    float[] found = new float[1];
    for (int i = 0; i < CHECKED_ROWS; i++) {
      int r = i == 0 ? m - 1 : random.nextInt(m);
      backend.download(x, (long) r * k, row, 0, k);
      for (int j = 0; j < CHECKED_COLUMNS; j++) {
        int c = j == 0 ? product.n() - 1 : random.nextInt(product.n());
        weights.read((long) c * k, column, 0, k);
        backend.download(y, (long) r * product.n() + c, found, 0, 1);
        double sum = 0;
        double size = 0;
        for (int t = 0; t < k; t++) {
          double term = (double) row[t] * stored(backend, column[t]);
          sum += term;
          size += Math.abs(term);
        }
        Reference.require(
            "output [%d, %d] of %s".formatted(r, c, product.item(m)),
            found[0],
            sum,
            Reference.bound(backend, sum, size, k));
      }
    }
  }

  private static float stored(Backend backend, float value) {
    return backend.dtype() == DType.BF16 ? Reference.bf16(value) : value;
  }
}
