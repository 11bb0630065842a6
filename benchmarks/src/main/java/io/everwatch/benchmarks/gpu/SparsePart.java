// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.benchmarks.StructuredHeads;
import io.everwatch.benchmarks.StructuredHeads.Kind;
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
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;
import io.everwatch.kernels.Span;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The last piece of a long prompt in one decoder layer: dense, over blocks that its heads choose,
 * and over the same blocks given, which leaves the search out. The heads are {@link
 * StructuredHeads} of every kind in turn, the last of eight flat; over all blocks given, the output
 * must be that of the dense kernel. What the same heads lose in the reference is on the page of
 * long prompts.
 */
final class SparsePart {
  private static final double GAMMA = 0.9;
  private static final double TAU = 0.1;
  private static final List<Kind> KINDS = List.of(Kind.values());
  private static final int AT_ONCE = 1024; // rows written together
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
    int[] slots = IntStream.range(0, keys).toArray();
    long width = (long) (decoder.heads() + 2 * decoder.kvHeads()) * decoder.headDim();
    StructuredHeads heads = new StructuredHeads(shape.headDim(), shape.ropeTheta());
    try (Backend backend = check.open();
        Arena arena = backend.arena();
        RowPool pool = backend.rowPool(shape, keys);
        Context context = backend.context(pool)) {
      remember(pool, heads, slots, past);
      // Positions 0: the rows are turned already, and however often the kernels turn them again.
      context.load(Arrays.copyOf(slots, past), new float[3][past]);
      context.extend(Arrays.copyOfRange(slots, past, keys), new float[3][sparse.added()]);
      DeviceBuffer qkv = arena.allocate(sparse.added(), width);
      float[] rows = projections(shape, heads, past, keys);
      backend.upload(rows, 0, rows.length, qkv);
      DeviceBuffer out = arena.allocate(sparse.added(), (long) decoder.heads() * decoder.headDim());
      return new Piece(backend, context, qkv, out).time(decoder, sparse);
    }
  }

  /** Writes K and V of the rows before the piece. */
  private static void remember(RowPool pool, StructuredHeads heads, int[] slots, int past) {
    KvShape shape = pool.shape();
    for (int from = 0; from < past; from += AT_ONCE) {
      int to = Math.min(past, from + AT_ONCE);
      byte[][] rows = new byte[to - from][];
      for (int row = from; row < to; row++) {
        float[] values = new float[Math.toIntExact(shape.rowElements())];
        keysAndValues(shape, heads, row, values, 0);
        rows[row - from] = RowValues.convert(RowValues.bytes(values), DType.F32, pool.dtype());
      }
      pool.write(Arrays.copyOfRange(slots, from, to), rows);
    }
  }

  /** {@code [to - from, (H + 2 K) D]}. */
  private static float[] projections(KvShape shape, StructuredHeads heads, int from, int to) {
    int dim = shape.headDim();
    int width = (shape.heads() + 2 * shape.kvHeads()) * dim;
    float[] rows = new float[Math.multiplyExact(to - from, width)];
    for (int row = from; row < to; row++) {
      int at = (row - from) * width;
      for (int head = 0; head < shape.heads(); head++) {
        heads.query(kind(head), row, head, rows, at + head * dim);
        heads.rotate(row, rows, at + head * dim);
      }
      keysAndValues(shape, heads, row, rows, at + shape.heads() * dim);
    }
    return rows;
  }

  private static void keysAndValues(
      KvShape shape, StructuredHeads heads, int row, float[] to, int at) {
    int dim = shape.headDim();
    for (int kv = 0; kv < shape.kvHeads(); kv++) {
      heads.key(row, kv, to, at + kv * dim);
      heads.rotate(row, to, at + kv * dim);
      heads.value(row, kv, to, at + (shape.kvHeads() + kv) * dim);
    }
  }

  private static Kind kind(int head) {
    return KINDS.get(head % KINDS.size());
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
      float[] found = values(decoder, rows);
      BlockMask everything = BlockMask.dense(selection.grid());
      attend(
          rows,
          new ChosenBlocks(
              sparse.block(),
              IntStream.range(0, decoder.heads()).mapToObj(h -> everything).toList()));
      double same = cosine(expected, values(decoder, rows), decoder, head -> true);
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
      double worst = 1;
      for (Kind kind : KINDS.subList(0, Math.min(decoder.heads(), KINDS.size()))) {
        double cosine = cosine(expected, found, decoder, head -> kind(head) == kind);
        figures.put("cosine " + kind.words(), cosine);
        worst = kind == Kind.FLAT ? worst : Math.min(worst, cosine);
      }
      figures.put("cosine", worst); // of those with a structure
      return figures;
    }
  }

  /** Of all rows of some of the heads together. */
  private static double cosine(float[] a, float[] b, Decoder decoder, IntPredicate of) {
    double product = 0;
    double first = 0;
    double second = 0;
    for (int i = 0; i < a.length; i++) {
      if (of.test(i / decoder.headDim() % decoder.heads())) {
        product += (double) a[i] * b[i];
        first += (double) a[i] * a[i];
        second += (double) b[i] * b[i];
      }
    }
    return product / Math.sqrt(first * second);
  }
}
