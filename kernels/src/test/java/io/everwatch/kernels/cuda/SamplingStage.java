// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.SamplingRules;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** Contexts of one row each whose logits are given, and the choice of their tokens. */
final class SamplingStage implements AutoCloseable {
  private static final KvShape SHAPE = new KvShape(1, 1, 1, 32, new int[] {4, 6, 6}, 10_000);
  private static final int RING_BYTES = 1 << 16;

  private final CudaStream stream;
  private final UploadRing ring;
  private final CudaRowPool pool;
  private final DeviceArrays arrays;
  final CudaSampling sampling;
  private int rows;

  SamplingStage(CudaDevice device) {
    stream = CudaStream.open(device);
    ring = new UploadRing(stream, 2, RING_BYTES);
    pool = new CudaRowPool(stream, SHAPE, DType.F32, 256);
    arrays = new DeviceArrays(device);
    sampling = new CudaSampling(stream, ring);
  }

  /**
   * A row of logits and how its token is chosen.
   *
   * @param seen ids that count as said from the beginning
   */
  record Case(float[] logits, SamplingRules rules, int token, int... seen) {
    Draw draw() {
      return new Draw(rules, 7, 3, token);
    }
  }

  /**
   * What came of a batch.
   *
   * @param probabilities per row, of what random choices were made from; zero for others
   */
  record Chosen(int[] tokens, float[][] probabilities) {
    /** All of it, for comparison. */
    float[] flat() {
      float[] flat = new float[tokens.length];
      for (int i = 0; i < flat.length; i++) {
        flat[i] = tokens[i];
      }
      for (float[] row : probabilities) {
        int at = flat.length;
        flat = Arrays.copyOf(flat, at + row.length);
        System.arraycopy(row, 0, flat, at, row.length);
      }
      return flat;
    }
  }

  static BitSet all(int width) {
    BitSet ids = new BitSet();
    ids.set(0, width);
    return ids;
  }

  CudaContext context(int... seen) {
    CudaContext context = pool.context();
    context.seen(seen);
    return context;
  }

  /** A decode batch of new contexts, all ids drawable; each is fed an id that nobody can draw. */
  Chosen choose(List<Case> cases) {
    int width = cases.get(0).logits().length;
    return choose(cases, all(width));
  }

  /** As the other one, of some ids. */
  Chosen choose(List<Case> cases, BitSet drawable) {
    List<CudaContext> contexts = new ArrayList<>();
    for (Case one : cases) {
      contexts.add(context(one.seen()));
    }
    int width = cases.get(0).logits().length;
    int[] fed = new int[cases.size()];
    Arrays.fill(fed, width);
    try (CudaVocabulary vocabulary = sampling.vocabulary(width, drawable)) {
      return decode(vocabulary, contexts, fed, cases);
    } finally {
      contexts.forEach(CudaContext::close);
    }
  }

  /** One step: each context is fed one id. */
  Chosen decode(
      CudaVocabulary vocabulary, List<CudaContext> contexts, int[] fed, List<Case> cases) {
    for (CudaContext context : contexts) {
      context.extend(new int[] {rows++ % pool.slots()}, new float[3][1]);
    }
    StepTables tables = pool.batches().decode(contexts, fed);
    return choose(tables, vocabulary, cases);
  }

  private Chosen choose(StepTables tables, CudaVocabulary vocabulary, List<Case> cases) {
    sampling.begin(tables, cases.stream().map(Case::draw).toList());
    tables.upload();
    int width = vocabulary.width();
    float[] logits = new float[tables.outputs() * width]; // padded rows are zeros
    for (int i = 0; i < cases.size(); i++) {
      System.arraycopy(cases.get(i).logits(), 0, logits, i * width, width);
    }
    long probabilities = arrays.of(new float[logits.length]);
    sampling.launch(arrays.of(logits), vocabulary, tables, probabilities);
    float[] all = arrays.floats(probabilities, logits.length);
    float[][] rows = new float[cases.size()][];
    Arrays.setAll(rows, i -> Arrays.copyOfRange(all, i * width, (i + 1) * width));
    return new Chosen(sampling.sample(arrays.of(logits), vocabulary, tables), rows);
  }

  /** Prefill of one context, whose last {@code cases.size()} rows are wanted. */
  Chosen prefill(CudaVocabulary vocabulary, CudaContext context, int count, List<Case> cases) {
    int[] slots = new int[count];
    Arrays.setAll(slots, i -> rows++ % pool.slots());
    context.extend(slots, new float[3][count]);
    int[] outputs = new int[cases.size()];
    Arrays.setAll(outputs, i -> count - outputs.length + i);
    return choose(
        pool.batches()
            .prefill(
                List.of(new io.everwatch.kernels.Span(context, 0, count)), new int[count], outputs),
        vocabulary,
        cases);
  }

  @Override
  public void close() {
    stream.synchronize();
    try (stream;
        ring;
        pool;
        arrays) {
      sampling.close();
    }
  }
}
