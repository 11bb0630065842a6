// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.benchmarks.gpu.Shapes.Decoder;
import io.everwatch.benchmarks.gpu.Shapes.Sparse;
import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.SeededTensor;
import io.everwatch.kernels.Span;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The last piece of a long prompt in one decoder layer: dense, over blocks that its heads choose,
 * and over the same blocks given, which leaves the search out. Rows of a block are alike and kinds
 * of blocks come back, so that heads have something to choose; over all blocks given, the output
 * must be that of the dense kernel.
 */
final class SparsePart {
  private static final double GAMMA = 0.9;
  private static final double TAU = 0.1;
  private static final int KINDS = 61;
  private static final int FEATURES = 64;
  private static final double SAME = 0.99999; // cosine of two kernels' outputs in bf16

  private final Check check;

  SparsePart(Check check) {
    this.check = check;
  }

  void run(Ledger ledger) {
    Sparse sparse = check.shapes().sparse();
    for (int keys : sparse.keys()) {
      ledger.item(sparse.item(keys), () -> time(check.shapes().decoder(), sparse, keys));
    }
  }

  private Map<String, Object> time(Decoder decoder, Sparse sparse, int keys) {
    KvShape shape =
        new KvShape(
            1,
            decoder.heads(),
            decoder.kvHeads(),
            decoder.headDim(),
            new int[] {decoder.headDim() / 2, 0, 0},
            1e6);
    int past = keys - sparse.added();
    try (Backend backend = check.open();
        Arena arena = backend.arena();
        RowPool pool = backend.rowPool(shape, keys);
        Context context = backend.context(pool)) {
      DeviceBuffer out = arena.allocate(keys, (long) decoder.heads() * decoder.headDim());
      Matrix spread = spread(backend, decoder);
      Piece all = new Piece(backend, context, operand(backend, arena, spread, 0, past), out);
      extend(context, 0, past);
      all.attend(past, null);
      Piece piece =
          new Piece(backend, context, operand(backend, arena, spread, past, sparse.added()), out);
      extend(context, past, sparse.added());
      return piece.time(decoder, sparse);
    }
  }

  /** What a row's features become: Q, K and V of all heads. */
  private static Matrix spread(Backend backend, Decoder decoder) {
    long width = (long) (decoder.heads() + 2 * decoder.kvHeads()) * decoder.headDim();
    return backend.matrix(
        "spread",
        List.of(new SeededTensor("spread", List.of(width, (long) FEATURES), 99, 0, 0.2f)));
  }

  private DeviceBuffer operand(Backend backend, Arena arena, Matrix spread, int first, int rows) {
    int block = check.shapes().sparse().block();
    float[][] kinds = new float[KINDS][FEATURES];
    Random random = new Random(KINDS);
    for (float[] kind : kinds) {
      for (int i = 0; i < FEATURES; i++) {
        kind[i] = (float) random.nextGaussian();
      }
    }
    float[] features = new float[rows * FEATURES];
    Random noise = new Random(first + 1L);
    for (int row = 0; row < rows; row++) {
      int number = (first + row) / block;
      float[] kind = kinds[Math.floorMod(number * number + number / 3, KINDS)];
      for (int i = 0; i < FEATURES; i++) {
        features[row * FEATURES + i] = kind[i] + 0.1f * (float) noise.nextGaussian();
      }
    }
    DeviceBuffer source = arena.allocate(rows, FEATURES);
    backend.upload(features, 0, features.length, source);
    DeviceBuffer made = arena.allocate(rows, spread.rows());
    backend.linear(source, spread, null, rows, made);
    return made;
  }

  /** Positions 0: the kernels see the vectors as they are, however often they are turned. */
  private static void extend(Context context, int first, int count) {
    context.extend(IntStream.range(first, first + count).toArray(), new float[3][count]);
  }

  /** The last rows of a context. */
  private final class Piece {
    private final Backend backend;
    private final Context context;
    private final DeviceBuffer qkv;
    private final DeviceBuffer out;

    Piece(Backend backend, Context context, DeviceBuffer qkv, DeviceBuffer out) {
      this.backend = backend;
      this.context = context;
      this.qkv = qkv;
      this.out = out;
    }

    private Batch attend(int rows, @Nullable BlockSelector selector) {
      Batch batch =
          backend.prefillBatch(
              List.of(new Span(context, 0, rows, selector)), new int[rows], new int[0], List.of());
      backend.attend(0, qkv, batch, out);
      return batch;
    }

    private Timing.Result timed(int rows, @Nullable BlockSelector selector) {
      Batch batch = attend(rows, selector);
      return check
          .timing()
          .of(i -> backend.attend(0, qkv, batch, out), () -> DriverPart.rest(backend, out));
    }

    private float[] values(Decoder decoder, int rows) {
      float[] values = new float[rows * decoder.heads() * decoder.headDim()];
      backend.download(out, 0, values, 0, values.length);
      return values;
    }

    Map<String, Object> time(Decoder decoder, Sparse sparse) {
      int rows = sparse.added();
      attend(rows, null);
      float[] expected = values(decoder, rows);
      FlexPrefill flex = new FlexPrefill(sparse.block(), GAMMA, TAU, sparse.minBudget(), 0, false);
      BlockSelection selection = backend.selection(attend(rows, flex), 0);
      double cosine = cosine(expected, values(decoder, rows));
      BlockMask everything = BlockMask.dense(selection.grid());
      attend(
          rows,
          new ChosenBlocks(
              sparse.block(),
              IntStream.range(0, decoder.heads()).mapToObj(h -> everything).toList()));
      double same = cosine(expected, values(decoder, rows));
      if (!(same >= SAME)) {
        throw new IllegalStateException(
            "cosine of the dense output and that over all blocks is %s; expected %s or more; do not trust the timings"
                .formatted(same, SAME));
      }
      Timing.Result dense = timed(rows, null);
      Timing.Result whole = timed(rows, flex);
      List<BlockMask> masks = selection.heads().stream().map(Head::mask).toList();
      Timing.Result attention = timed(rows, new ChosenBlocks(sparse.block(), masks));
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("denseMicros", dense.medianNanos() / 1e3);
      figures.put("micros", whole.medianNanos() / 1e3);
      figures.put("attentionMicros", attention.medianNanos() / 1e3);
      figures.put("spread", whole.spread());
      figures.put("timesDense", dense.medianNanos() / whole.medianNanos());
      figures.put(
          "searchShareOfDense",
          (whole.medianNanos() - attention.medianNanos()) / dense.medianNanos());
      long cells = masks.stream().mapToLong(BlockMask::count).sum();
      figures.put("density", (double) cells / (selection.grid().causalCells() * masks.size()));
      figures.put(
          "queryAware",
          selection.heads().stream().filter(h -> h.pattern() == Pattern.QUERY_AWARE).count());
      figures.put(
          "keptMass",
          selection.heads().stream()
              .flatMap(head -> head.probe().stream())
              .mapToDouble(BlockSelection.Probe::keptMass)
              .average()
              .orElse(Double.NaN));
      figures.put("cosine", cosine);
      return figures;
    }
  }

  private static double cosine(float[] a, float[] b) {
    double product = 0;
    double first = 0;
    double second = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
      first += (double) a[i] * a[i];
      second += (double) b[i] * b[i];
    }
    return product / Math.sqrt(first * second);
  }
}
