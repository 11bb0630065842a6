// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.benchmarks.gpu.Shapes.Decoder;
import io.everwatch.benchmarks.gpu.Shapes.Vision;
import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.PatchBatch;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Attention of one decoder layer over a full memory, and of one layer of the vision tower. One
 * query of each is compared with sums in double before anything is timed.
 */
final class AttentionPart {
  private static final double ROPE_THETA = 1e6;

  private final Check check;

  AttentionPart(Check check) {
    this.check = check;
  }

  void run(Ledger ledger) {
    Decoder decoder = check.shapes().decoder();
    Vision vision = check.shapes().vision();
    ledger.item(decoder.prefillItem(), () -> prefill(decoder));
    ledger.item(decoder.decodeItem(1), () -> decode(decoder, 1));
    ledger.item(decoder.decodeItem(decoder.streams()), () -> decode(decoder, decoder.streams()));
    ledger.item(Vision.FULL, () -> vision(vision, new int[] {vision.patches()}));
    ledger.item(Vision.WINDOWED, () -> vision(vision, vision.windows()));
  }

  // --- decoder ---

  private static KvShape shape(Decoder decoder) {
    int half = decoder.headDim() / 2;
    int side = half * 3 / 8;
    return new KvShape(
        1,
        decoder.heads(),
        decoder.kvHeads(),
        decoder.headDim(),
        new int[] {half - 2 * side, side, side},
        ROPE_THETA);
  }

  private Map<String, Object> prefill(Decoder decoder) {
    int rows = decoder.past() + decoder.added();
    try (Backend backend = check.open();
        Arena arena = backend.arena();
        RowPool pool = backend.rowPool(shape(decoder), rows);
        Context context = backend.context(pool)) {
      DeviceBuffer qkv = GemmPart.operand(backend, arena, rows, width(decoder));
      DeviceBuffer added = GemmPart.operand(backend, arena, decoder.added(), width(decoder));
      DeviceBuffer out = arena.allocate(rows, (long) decoder.heads() * decoder.headDim());
      fill(backend, context, decoder, 0, qkv, out);
      extend(context, decoder.past(), decoder.added(), 0);
      Batch batch = prefill(backend, context, decoder.added());
      int row = decoder.added() - 1;
      float[] query = query(backend, decoder, added, row);
      backend.attend(0, added, batch, out);
      compare(backend, decoder, qkv, added, row, query, out);
      Timing.Result result =
          check
              .timing()
              .of(i -> backend.attend(0, added, batch, out), () -> DriverPart.rest(backend, out));
      // Causal: each new row looks at the past, itself and the new ones before it.
      double pairs = decoder.added() * (decoder.past() + (decoder.added() + 1) / 2.0);
      double flop = 4 * pairs * decoder.heads() * decoder.headDim();
      return figures(result, "tflops", flop / result.medianNanos() / 1e3);
    }
  }

  private Map<String, Object> decode(Decoder decoder, int streams) {
    int each = decoder.past() + 1;
    List<Context> contexts = new ArrayList<>();
    try (Backend backend = check.open();
        Arena arena = backend.arena();
        RowPool pool = backend.rowPool(shape(decoder), Math.multiplyExact(streams, each))) {
      DeviceBuffer qkv = GemmPart.operand(backend, arena, decoder.past(), width(decoder));
      DeviceBuffer out =
          arena.allocate(
              Math.max(decoder.past(), 64 + streams), (long) decoder.heads() * decoder.headDim());
      for (int s = 0; s < streams; s++) {
        Context context = backend.context(pool);
        contexts.add(context);
        fill(backend, context, decoder, s * each, qkv, out);
        extend(context, decoder.past(), 1, s * each);
      }
      Batch batch = backend.decodeBatch(contexts, new int[streams], List.of());
      DeviceBuffer added = GemmPart.operand(backend, arena, batch.rows(), width(decoder));
      float[] query = query(backend, decoder, added, 0);
      backend.attend(0, added, batch, out);
      compare(backend, decoder, qkv, added, 0, query, out);
      Timing.Result result =
          check
              .timing()
              .of(i -> backend.attend(0, added, batch, out), () -> DriverPart.rest(backend, out));
      long bytes =
          (long) streams
              * each
              * 2
              * decoder.kvHeads()
              * decoder.headDim()
              * backend.dtype().sizeBytes();
      contexts.forEach(Context::close);
      return figures(result, "gbPerSecond", bytes / result.medianNanos());
    }
  }

  private static int width(Decoder decoder) {
    return (decoder.heads() + 2 * decoder.kvHeads()) * decoder.headDim();
  }

  /** Lets {@code past} rows of {@code qkv} be remembered, from {@code slot} on. */
  private static void fill(
      Backend backend,
      Context context,
      Decoder decoder,
      int slot,
      DeviceBuffer qkv,
      DeviceBuffer out) {
    extend(context, 0, decoder.past(), slot);
    backend.attend(0, qkv, prefill(backend, context, decoder.past()), out);
  }

  private static Batch prefill(Backend backend, Context context, int rows) {
    return backend.prefillBatch(
        List.of(new Span(context, 0, rows)), new int[rows], new int[0], List.of());
  }

  /** Rows {@code [first, first + count)}, at positions of the same number in all components. */
  static void extend(Context context, int first, int count, int slot) {
    int[] slots = IntStream.range(slot + first, slot + first + count).toArray();
    float[] positions = new float[count];
    for (int i = 0; i < count; i++) {
      positions[i] = first + i;
    }
    context.extend(slots, new float[][] {positions, positions, positions});
  }

  /** The first head of a row, to be taken before it is rotated where it lies. */
  private static float[] query(Backend backend, Decoder decoder, DeviceBuffer qkv, int row) {
    return part(backend, qkv, (long) row * width(decoder), decoder.headDim());
  }

  /** A new row's first head against a memory of {@code past} rows and the new ones. */
  private static void compare(
      Backend backend,
      Decoder decoder,
      DeviceBuffer past,
      DeviceBuffer added,
      int row,
      float[] query,
      DeviceBuffer out) {
    int dim = decoder.headDim();
    int width = width(decoder);
    int rows = decoder.past() + row + 1;
    double[][] keys = new double[rows][];
    float[][] values = new float[rows][];
    for (int i = 0; i < rows; i++) {
      DeviceBuffer from = i < decoder.past() ? past : added;
      long at = (long) (i < decoder.past() ? i : i - decoder.past()) * width;
      at += (long) decoder.heads() * dim;
      keys[i] = rotated(part(backend, from, at, dim), i);
      values[i] = part(backend, from, at + (long) decoder.kvHeads() * dim, dim);
    }
    requireAttention(
        backend,
        rotated(query, rows - 1),
        keys,
        values,
        part(backend, out, (long) row * decoder.heads() * dim, dim));
  }

  /** Pair i of a head is components i and i + D/2. */
  private static double[] rotated(float[] head, double position) {
    int half = head.length / 2;
    double[] turned = new double[head.length];
    for (int i = 0; i < half; i++) {
      double angle = position * Math.pow(ROPE_THETA, -2.0 * i / head.length);
      turned[i] = head[i] * Math.cos(angle) - head[i + half] * Math.sin(angle);
      turned[i + half] = head[i + half] * Math.cos(angle) + head[i] * Math.sin(angle);
    }
    return turned;
  }

  // --- vision ---

  private Map<String, Object> vision(Vision vision, int[] segments) {
    int patches = vision.patches();
    int dim = vision.headDim();
    try (Backend backend = check.open();
        Arena arena = backend.arena()) {
      DeviceBuffer qkv = GemmPart.operand(backend, arena, patches, 3 * vision.heads() * dim);
      DeviceBuffer out = arena.allocate(patches, (long) vision.heads() * dim);
      float[] angles = new float[patches * dim / 2];
      Random random = new Random(patches);
      for (int i = 0; i < angles.length; i++) {
        angles[i] = 3 * random.nextFloat();
      }
      int query = segments[0] - 1; // the last of the first segment
      double[][] keys = new double[segments[0]][];
      float[][] values = new float[segments[0]][];
      for (int i = 0; i < segments[0]; i++) { // before they are overwritten
        keys[i] = turned(backend, qkv, vision, i, 1, angles);
        values[i] = part(backend, qkv, at(vision, i, 2), dim);
      }
      double[] turnedQuery = turned(backend, qkv, vision, query, 0, angles);
      PatchBatch batch = backend.patchBatch(angles, dim, List.of(segments), arena);
      backend.segmentAttention(qkv, batch, 0, vision.heads(), out);
      requireAttention(
          backend,
          turnedQuery,
          keys,
          values,
          part(backend, out, (long) query * vision.heads() * dim, dim));
      Timing.Result result =
          check
              .timing()
              .of(
                  i -> backend.segmentAttention(qkv, batch, 0, vision.heads(), out),
                  () -> DriverPart.rest(backend, out));
      double pairs = IntStream.of(segments).mapToDouble(n -> (double) n * n).sum();
      double flop = 4 * pairs * vision.heads() * dim;
      return figures(result, "tflops", flop / result.medianNanos() / 1e3);
    }
  }

  private static long at(Vision vision, int patch, int part) {
    return ((long) patch * 3 + part) * vision.heads() * vision.headDim();
  }

  private static double[] turned(
      Backend backend, DeviceBuffer qkv, Vision vision, int patch, int part, float[] angles) {
    int half = vision.headDim() / 2;
    float[] head = part(backend, qkv, at(vision, patch, part), vision.headDim());
    double[] turned = new double[head.length];
    for (int i = 0; i < half; i++) {
      double angle = angles[patch * half + i];
      turned[i] = head[i] * Math.cos(angle) - head[i + half] * Math.sin(angle);
      turned[i + half] = head[i + half] * Math.cos(angle) + head[i] * Math.sin(angle);
    }
    return turned;
  }

  // --- both ---

  private static float[] part(Backend backend, DeviceBuffer buffer, long from, int count) {
    float[] values = new float[count];
    backend.download(buffer, from, values, 0, count);
    return values;
  }

  private static void requireAttention(
      Backend backend, double[] query, double[][] keys, float[][] values, float[] found) {
    int dim = query.length;
    double[] weights = new double[keys.length];
    double largest = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < keys.length; i++) {
      for (int d = 0; d < dim; d++) {
        weights[i] += query[d] * keys[i][d];
      }
      weights[i] /= Math.sqrt(dim);
      largest = Math.max(largest, weights[i]);
    }
    double total = 0;
    for (int i = 0; i < keys.length; i++) {
      weights[i] = Math.exp(weights[i] - largest);
      total += weights[i];
    }
    for (int d = 0; d < dim; d++) {
      double sum = 0;
      double size = 0;
      for (int i = 0; i < keys.length; i++) {
        sum += weights[i] * values[i][d] / total;
        size += weights[i] * Math.abs(values[i][d]) / total;
      }
      // Rotated keys, queries and probabilities are rounded to the stored type, too.
      Reference.require(
          "component %d of an attended row".formatted(d),
          found[d],
          sum,
          Reference.bound(backend, sum, size, keys.length) + Reference.attended(backend, size));
    }
  }

  private static Map<String, Object> figures(Timing.Result result, String rate, double value) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("micros", result.medianNanos() / 1e3);
    figures.put("spread", result.spread());
    figures.put(rate, value);
    return figures;
  }
}
