// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.cuda.SparseStage.Part;
import io.everwatch.kernels.cuda.SparseStage.Result;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** A span of the last {@code queries} of {@code keys} rows, and how it chooses. */
record SparseCase(KvShape shape, int queries, int keys, FlexPrefill settings) {
  static final long SEED = 20251121;
  static final FlexPrefill FLEX = new FlexPrefill(32, 0.8, 0.2, 64, 0, false);
  static final FlexPrefill WIDE = new FlexPrefill(64, 0.7, 0.25, 64, 0, false);

  /**
   * Every size of blocks and heads; groups of 1, 2, 3, 7, 9; lengths that are multiples of nothing.
   */
  static final List<SparseCase> CASES =
      List.of(
          of(7, 1, 32, 150, 231, FLEX),
          of(4, 2, 64, 201, 502, new FlexPrefill(128, 0.9, 0.2, 128, 0, false)),
          of(3, 1, 128, 333, 333, WIDE),
          of(9, 1, 32, 77, 577, new FlexPrefill(96, 0.9, 0.3, 96, 0, false)),
          of(2, 2, 64, 17, 447, new FlexPrefill(32, 0.95, 0, 200, 0, true)), // cut into parts
          of(2, 2, 32, 2, 130, new FlexPrefill(32, 0.9, 0.1, 32, 32, false)),
          of(6, 2, 128, 256, 640, new FlexPrefill(128, 0.8, 0.8, 128, 0, false)),
          of(3, 1, 32, 90, 300, new FlexPrefill(32, 0.8, 0.3, 96, 32, false)), // cap below floor
          of(3, 1, 32, 33, 1300, FLEX)); // the probe's statistics in two parts

  static SparseCase of(
      int heads, int kvHeads, int headDim, int queries, int keys, FlexPrefill settings) {
    int half = headDim / 2;
    return new SparseCase(
        new KvShape(1, heads, kvHeads, headDim, new int[] {half, 0, 0}, 1e4),
        queries,
        keys,
        settings);
  }

  Part part(DType dtype, long seed) {
    return new Part(new SparseInput(shape, dtype, keys, seed), queries, settings);
  }

  BlockGrid grid() {
    return new BlockGrid(settings.block(), queries, keys);
  }

  @Override
  public String toString() {
    return "%d heads on %d of %d, %d of %d rows, blocks of %d"
        .formatted(
            shape.heads(), shape.kvHeads(), shape.headDim(), queries, keys, settings.block());
  }

  /** One pass over all parts. */
  static List<Result> attend(
      CudaDevice device, DType dtype, KvShape shape, long slotSeed, Part... parts) {
    int rows = Stream.of(parts).mapToInt(part -> part.input().keys).sum();
    try (SparseStage stage = new SparseStage(device, shape, dtype, rows, slotSeed)) {
      return stage.attend(parts);
    }
  }

  /** This one alone. */
  Result attend(DType dtype) {
    try (CudaDevice device = CudaDevice.open(0)) {
      return attend(device, dtype, shape, SEED, part(dtype, SEED)).get(0);
    }
  }

  /** Outputs, log-sum-exp, masses and masks in a row. */
  static float[] bits(Result result) {
    BlockSelection selection = result.chosen();
    List<float[]> all = new ArrayList<>(List.of(result.out(), selection.lse()));
    for (Head head : selection.heads()) {
      int[] words = head.mask().words();
      float[] mask = new float[2 * words.length];
      for (int i = 0; i < mask.length; i++) {
        mask[i] = words[i / 2] >>> (i % 2 * 16) & 0xFFFF;
      }
      all.add(mask);
      head.probe()
          .ifPresent(
              probe -> {
                all.add(probe.columnMass());
                all.add(probe.offsetMass());
                all.add(probe.estimate());
                all.add(new float[] {(float) probe.distance()});
              });
    }
    float[] joined = new float[all.stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (float[] part : all) {
      System.arraycopy(part, 0, joined, at, part.length);
      at += part.length;
    }
    return joined;
  }

  /** Of a back end's own masses: the first, and the largest others; of equal ones the lower. */
  static int[] heaviest(float[] mass, int count) {
    Set<Integer> taken = new HashSet<>(Set.of(0));
    while (taken.size() < Math.min(count, mass.length)) {
      int best = -1;
      for (int i = 0; i < mass.length; i++) {
        if (!taken.contains(i) && (best < 0 || mass[i] > mass[best])) {
          best = i;
        }
      }
      taken.add(best);
    }
    return taken.stream().mapToInt(Integer::intValue).sorted().toArray();
  }
}
