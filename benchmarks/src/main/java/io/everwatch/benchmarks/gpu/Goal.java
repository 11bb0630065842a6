// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.benchmarks.gpu.Shapes.Load;
import io.everwatch.benchmarks.gpu.Shapes.Product;
import io.everwatch.benchmarks.gpu.Shapes.Sparse;
import io.everwatch.benchmarks.gpu.Shapes.Vision;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/**
 * What one GPU is to reach, and what it reached.
 *
 * @param what was measured
 * @param wanted in words
 * @param limit of the figure
 * @param atLeast whether the figure is to be that or more; else that or less
 * @param unit behind the figure
 * @param reached empty: open, not measured yet
 * @param parts of gpu-check that measure it
 */
record Goal(
    String what,
    String wanted,
    double limit,
    boolean atLeast,
    String unit,
    OptionalDouble reached,
    String parts) {

  boolean isMet() {
    return reached.isPresent()
        && (atLeast ? reached.getAsDouble() >= limit : reached.getAsDouble() <= limit);
  }

  /** All of them, in the order of the table; ratios are of figures of one run. */
  static List<Goal> of(Results results, Shapes shapes) {
    Load load = shapes.load();
    String model = load.models().get(0);
    Shapes.Decoder decoder = shapes.decoder();
    List<Goal> goals = new ArrayList<>();
    goals.add(
        new Goal(
            "decode, 1 stream",
            "≥ 80 % of copy bandwidth",
            0.8,
            true,
            "",
            results.figure("engine", DecodePart.item(decoder, 1, model), "shareOfCopy"),
            "engine"));
    goals.add(
        new Goal(
            "decode, 1 stream",
            "≤ 4.2 ms per token",
            4.2,
            false,
            " ms",
            results.figure("engine", DecodePart.item(decoder, 1, model), "millis"),
            "engine"));
    goals.add(
        new Goal(
            "decode step, %d streams at %d rows".formatted(decoder.streams(), decoder.past()),
            "≥ 70 % of copy bandwidth over weights and rows",
            0.7,
            true,
            "",
            results.figure(
                "engine", DecodePart.item(decoder, decoder.streams(), model), "shareOfCopy"),
            "engine"));
    goals.add(
        new Goal(
            "products of prefill and vision, the worst of all",
            "≥ 80 % of PyTorch's matmul",
            0.8,
            true,
            "",
            worstProduct(results, shapes),
            "gemm,torch"));
    goals.add(attention(results, decoder.prefillItem(), "prefill attention"));
    goals.add(attention(results, Vision.FULL, "vision attention at 720p"));
    goals.addAll(sparse(results, shapes.sparse()));
    goals.add(
        new Goal(
            "one stream: last frame in to last of %d tokens out".formatted(load.alone().answer()),
            "≤ 1.5 times the computed floor",
            1.5,
            false,
            "",
            results.timesFloor(EnginePart.alone(model)),
            "driver,gemm,engine"));
    goals.add(
        new Goal(
            "%d streams at 1 chunk a second, 99th percentile of the lag".formatted(load.streams()),
            "≤ 1 s",
            1000,
            false,
            " ms",
            results.figure("engine", EnginePart.held(load, model), "lagMillisP99"),
            "engine"));
    goals.add(
        new Goal(
            "chunks per second beside the loop in PyTorch",
            "≥ 10 times",
            10,
            true,
            "",
            ratio(
                results.figure("engine", EnginePart.through(load, model), "chunksPerSecond"),
                results.figure("torch", "loop " + model, "chunksPerSecond")),
            "engine,torch"));
    goals.add(
        new Goal(
            "GPU idle, %d streams that never wait".formatted(load.streams()),
            "≤ 5 %",
            0.05,
            false,
            "",
            results.figure("engine", EnginePart.through(load, model), "idleShare"),
            "engine"));
    goals.add(
        new Goal(
            "memory taken of the device per decode step, %d streams".formatted(decoder.streams()),
            "none",
            0,
            false,
            " allocations",
            results.figure(
                "engine", DecodePart.item(decoder, decoder.streams(), model), "allocationsPerStep"),
            "engine"));
    return goals;
  }

  private static Goal attention(Results results, String item, String what) {
    return new Goal(
        what,
        "≥ 60 % of PyTorch's scaled_dot_product_attention",
        0.6,
        true,
        "",
        ratio(results.figure("attention", item, "tflops"), results.figure("torch", item, "tflops")),
        "attention,torch");
  }

  private static List<Goal> sparse(Results results, Sparse sparse) {
    List<Goal> goals = new ArrayList<>();
    int longest = sparse.keys().get(sparse.keys().size() - 1);
    for (int times : new int[] {2, 3}) {
      int keys = times == 3 ? longest : longest / 2;
      goals.add(
          new Goal(
              "sparse prefill attention, %,d of %,d rows".formatted(sparse.added(), keys),
              "≥ %d times the dense kernel".formatted(times),
              times,
              true,
              "",
              results.figure("sparse", sparse.item(keys), "timesDense"),
              "sparse"));
    }
    List<Integer> wide = sparse.keys().stream().filter(keys -> keys >= longest / 4).toList();
    goals.add(
        new Goal(
            "search for the blocks from %,d rows up, the worst".formatted(longest / 4),
            "≤ 15 % of dense attention",
            0.15,
            false,
            "",
            worst(results, sparse, wide, "searchShareOfDense", true),
            "sparse"));
    goals.add(
        new Goal(
            "sparse against dense output, the worst kind of structured heads",
            "cosine ≥ 0.999",
            0.999,
            true,
            "",
            worst(results, sparse, sparse.keys(), "cosine", false),
            "sparse"));
    return goals;
  }

  /** The largest or smallest of a figure, when all were measured. */
  private static OptionalDouble worst(
      Results results, Sparse sparse, List<Integer> keys, String figure, boolean largest) {
    List<OptionalDouble> all =
        keys.stream().map(n -> results.figure("sparse", sparse.item(n), figure)).toList();
    if (all.stream().anyMatch(OptionalDouble::isEmpty)) {
      return OptionalDouble.empty();
    }
    DoubleStream found = all.stream().mapToDouble(OptionalDouble::getAsDouble);
    return largest ? found.max() : found.min();
  }

  /** Only when all of them were measured on both sides. */
  private static OptionalDouble worstProduct(Results results, Shapes shapes) {
    double worst = Double.POSITIVE_INFINITY;
    for (Product product : shapes.products()) {
      for (int m : shapes.tokens()) {
        OptionalDouble ratio =
            ratio(
                results.figure("gemm", product.item(m), "tflops"),
                results.figure("torch", product.item(m), "tflops"));
        if (ratio.isEmpty()) {
          return OptionalDouble.empty();
        }
        worst = Math.min(worst, ratio.getAsDouble());
      }
    }
    return OptionalDouble.of(worst);
  }

  private static OptionalDouble ratio(OptionalDouble a, OptionalDouble b) {
    return a.isPresent() && b.isPresent() && b.getAsDouble() > 0
        ? OptionalDouble.of(a.getAsDouble() / b.getAsDouble())
        : OptionalDouble.empty();
  }
}
