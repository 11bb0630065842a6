// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.PatchBatch;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.kernels.Table;
import io.everwatch.kernels.TensorSource;
import io.everwatch.kernels.Vector;
import io.everwatch.kernels.Vocabulary;
import io.everwatch.kernels.WeightParts;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Checks arguments and hands them on; activations are heap arrays. */
final class CpuBackend implements Backend {
  private static final String NAME = "cpu";

  private final CpuThreads threads;
  private final Products products;
  private final CpuAttention attention;
  private final Elementwise elementwise;
  private final CpuSampling sampling = new CpuSampling();
  private final CpuArena replayed = new CpuArena();
  private @Nullable CpuBatch current;
  private final List<CpuMatrix> matrices = new ArrayList<>();
  private final Map<RotaryKey, RotaryTable> rotaries = new HashMap<>();
  private float[] product = new float[0]; // the summand of linearAdd
  private boolean closed;

  private record RotaryKey(int headDim, double theta) {}

  CpuBackend(
      CpuThreads threads, Products products, AttentionKernel kernel, Elementwise elementwise) {
    this.threads = threads;
    this.products = products;
    attention = new CpuAttention(kernel, threads);
    this.elementwise = elementwise;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String numerics() {
    return "%s: products %s; attention %s"
        .formatted(NAME, products.numerics(), attention.numerics());
  }

  @Override
  public DType dtype() {
    return DType.F32;
  }

  @Override
  public Matrix matrix(String name, List<? extends TensorSource> parts) {
    checkOpen("matrix");
    CpuMatrix matrix = products.matrix(name, parts, WeightParts.columns(name, parts));
    matrices.add(matrix);
    return matrix;
  }

  @Override
  public Vector vector(String name, List<? extends TensorSource> parts) {
    checkOpen("vector");
    long length = parts.stream().mapToLong(TensorSource::elements).sum();
    float[] values = new float[Math.toIntExact(length)];
    int at = 0;
    for (TensorSource part : parts) {
      int count = (int) part.elements();
      part.read(0, values, at, count);
      at += count;
    }
    return new CpuVector(name, values);
  }

  @Override
  public Table table(TensorSource source) {
    checkOpen("table");
    int columns = WeightParts.columns(source.name(), List.of(source));
    float[][] values = new float[Math.toIntExact(source.shape().get(0))][columns];
    for (int row = 0; row < values.length; row++) {
      source.read((long) row * columns, values[row], 0, columns);
    }
    return new CpuTable(source.name(), values, columns);
  }

  @Override
  public Vocabulary vocabulary(int width, BitSet drawable) {
    checkOpen("vocabulary");
    return CpuVocabulary.of(width, drawable);
  }

  @Override
  public Arena arena() {
    checkOpen("arena");
    return new CpuArena();
  }

  @Override
  public RowPool rowPool(KvShape shape, int slots) {
    checkOpen("rowPool");
    return new CpuRowPool(shape, slots);
  }

  @Override
  public int slots(KvShape shape, long bytes) {
    long rowBytes = Math.multiplyExact(shape.rowElements(), Float.BYTES);
    return (int) Math.min(RowHeap.ofThisProcess().bytes(bytes) / rowBytes, Integer.MAX_VALUE - 8);
  }

  @Override
  public Context context(RowPool pool) {
    checkOpen("context");
    if (!(pool instanceof CpuRowPool mine)) {
      throw new IllegalArgumentException(
          "context: the pool is a %s; expected one of the cpu back end"
              .formatted(pool.getClass().getName()));
    }
    KvShape shape = mine.shape();
    RotaryTable rotary =
        rotaries.computeIfAbsent(
            new RotaryKey(shape.headDim(), shape.ropeTheta()),
            key -> new RotaryTable(key.headDim(), key.theta()));
    return new CpuContext(mine, rotary, attention.newCopy(shape), threads);
  }

  @Override
  public void upload(float[] values, int from, int count, DeviceBuffer to) {
    CpuBuffer buffer = CpuBuffer.of(to, "upload", "to", count);
    System.arraycopy(values, from, buffer.data, buffer.from, count);
  }

  @Override
  public void download(DeviceBuffer source, long from, float[] to, int at, int count) {
    CpuBuffer buffer = CpuBuffer.of(source, "download", "source", from + count);
    System.arraycopy(buffer.data, buffer.from + (int) from, to, at, count);
  }

  @Override
  public Batch prefillBatch(List<Span> spans, int[] ids, int[] outputs, List<Draw> draws) {
    checkOpen("prefillBatch");
    current = CpuBatch.prefill(spans, ids, outputs, draws);
    return current;
  }

  @Override
  public Batch decodeBatch(List<? extends Context> contexts, int[] ids, List<Draw> draws) {
    checkOpen("decodeBatch");
    current = CpuBatch.decode(contexts, ids, draws);
    return current;
  }

  private CpuBatch batch(Batch batch, String operation) {
    checkOpen(operation);
    CpuBatch mine = current;
    if (mine == null || batch != mine) {
      throw new IllegalArgumentException(
          "%s: the batch is not the last one that this back end made; make it before each pass"
              .formatted(operation));
    }
    return mine;
  }

  /** Runs the body: the CPU has nothing to gain from recording. */
  @Override
  public <R> R replay(Object key, Batch batch, Function<Arena, R> body) {
    batch(batch, "replay");
    replayed.reset();
    return body.apply(replayed);
  }

  @Override
  public void embed(Table table, Batch batch, DeviceBuffer out) {
    if (!(table instanceof CpuTable mine)) {
      throw new IllegalArgumentException(
          "embed: the table is a %s; expected one of the cpu back end"
              .formatted(table.getClass().getName()));
    }
    int[] ids = batch(batch, "embed").ids();
    int width = mine.columns();
    CpuBuffer to = CpuBuffer.of(out, "embed", "out", (long) ids.length * width);
    for (int t = 0; t < ids.length; t++) {
      if (ids[t] < 0 || ids[t] >= mine.rows()) {
        throw new IllegalArgumentException(
            "embed: id %d at %d is outside table %s of %d rows; were the ids made by the tokenizer"
                    .formatted(ids[t], t, mine.name(), mine.rows())
                + " of this model?");
      }
      System.arraycopy(mine.values()[ids[t]], 0, to.data, to.from + t * width, width);
    }
  }

  @Override
  public void outputs(DeviceBuffer x, Batch batch, int width, DeviceBuffer out) {
    CpuBatch mine = batch(batch, "outputs");
    CpuBuffer from =
        CpuBuffer.of(x, "outputs", "x", Shapes.elements("outputs", mine.rows(), width));
    CpuBuffer to =
        CpuBuffer.of(out, "outputs", "out", Shapes.elements("outputs", mine.outputs(), width));
    int[] rows = mine.outputRows();
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(from.data, from.from + rows[i] * width, to.data, to.from + i * width, width);
    }
  }

  @Override
  public void scatter(DeviceBuffer x, int first, int[] rows, int width, DeviceBuffer out) {
    long elements = io.everwatch.kernels.Shapes.elements("scatter", first, rows.length, width);
    CpuBuffer from = CpuBuffer.of(x, "scatter", "x", elements);
    CpuBuffer to = CpuBuffer.of(out, "scatter", "out", 0);
    Shapes.rowsInside("scatter", "out", rows, width, to.elements());
    for (int i = 0; i < rows.length; i++) {
      int row = from.from + (first + i) * width;
      System.arraycopy(from.data, row, to.data, to.from + rows[i] * width, width);
    }
  }

  @Override
  public void rmsNorm(DeviceBuffer x, Vector gain, float eps, int tokens, DeviceBuffer out) {
    long elements = Shapes.elements("rmsNorm", tokens, gain.length());
    CpuBuffer from = CpuBuffer.of(x, "rmsNorm", "x", elements);
    CpuBuffer to = CpuBuffer.of(out, "rmsNorm", "out", elements);
    elementwise.rmsNorm(from, Shapes.values(gain, "rmsNorm", gain.length()), eps, tokens, to);
  }

  @Override
  public void linear(
      DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out) {
    CpuMatrix matrix = matrix(w, "linear");
    CpuBuffer from =
        CpuBuffer.of(x, "linear", "x", Shapes.elements("linear", tokens, matrix.columns()));
    CpuBuffer to =
        CpuBuffer.of(out, "linear", "out", Shapes.elements("linear", tokens, matrix.rows()));
    matrix.multiply(from.data, from.from, tokens, to.data, to.from);
    if (bias != null) {
      elementwise.addRow(Shapes.values(bias, "linear", matrix.rows()), tokens, to.data, to.from);
    }
  }

  @Override
  public void linearAdd(
      DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out) {
    CpuMatrix matrix = matrix(w, "linearAdd");
    CpuBuffer from =
        CpuBuffer.of(x, "linearAdd", "x", Shapes.elements("linearAdd", tokens, matrix.columns()));
    int elements = (int) Shapes.elements("linearAdd", tokens, matrix.rows());
    CpuBuffer to = CpuBuffer.of(out, "linearAdd", "out", elements);
    if (product.length < elements) {
      product = CpuArena.newArray(elements, "linearAdd");
    }
    matrix.multiply(from.data, from.from, tokens, product, 0);
    if (bias != null) {
      elementwise.addRow(Shapes.values(bias, "linearAdd", matrix.rows()), tokens, product, 0);
    }
    elementwise.add(product, elements, to);
  }

  private CpuMatrix matrix(Matrix w, String operation) {
    checkOpen(operation);
    if (w instanceof CpuMatrix mine) {
      return mine;
    }
    throw new IllegalArgumentException(
        "%s: weights %s are a %s; expected a matrix of the cpu back end"
            .formatted(operation, w.name(), w.getClass().getName()));
  }

  @Override
  public void swiGlu(DeviceBuffer gateUp, int tokens, int width, DeviceBuffer out) {
    long elements = Shapes.elements("swiGlu", tokens, width);
    CpuBuffer from = CpuBuffer.of(gateUp, "swiGlu", "gateUp", 2 * elements);
    CpuBuffer to = CpuBuffer.of(out, "swiGlu", "out", elements);
    elementwise.swiGlu(from, tokens, width, to);
  }

  @Override
  public void gelu(DeviceBuffer x, long elements) {
    elementwise.gelu(CpuBuffer.of(x, "gelu", "x", elements), Math.toIntExact(elements));
  }

  @Override
  public PatchBatch patchBatch(
      float[] angles, int headDim, List<int[]> segmentations, Arena arena) {
    checkOpen("patchBatch");
    return CpuPatchBatch.of(angles, headDim, segmentations);
  }

  @Override
  public void segmentAttention(
      DeviceBuffer qkv, PatchBatch patches, int segmentation, int heads, DeviceBuffer out) {
    checkOpen("segmentAttention");
    if (!(patches instanceof CpuPatchBatch mine)) {
      throw new IllegalArgumentException(
          "segmentAttention: the patches are a %s; expected a batch of the cpu back end"
              .formatted(patches.getClass().getName()));
    }
    long elements = Math.multiplyExact((long) heads * mine.headDim(), mine.patches());
    CpuBuffer from = CpuBuffer.of(qkv, "segmentAttention", "qkv", 3 * elements);
    CpuBuffer to = CpuBuffer.of(out, "segmentAttention", "out", elements);
    attention.segments(from, mine, segmentation, heads, to);
  }

  @Override
  public void attend(int layer, DeviceBuffer qkv, Batch batch, DeviceBuffer out) {
    CpuBatch mine = batch(batch, "attend");
    mine.checkContexts("attend");
    KvShape shape = mine.shape();
    if (layer < 0 || layer >= shape.layers()) {
      throw new IllegalArgumentException(
          "attend: layer %d; expected 0 to %d".formatted(layer, shape.layers() - 1));
    }
    long tokens = mine.rows();
    long headDim = shape.headDim();
    CpuBuffer from =
        CpuBuffer.of(
            qkv, "attend", "qkv", tokens * (shape.heads() + 2L * shape.kvHeads()) * headDim);
    CpuBuffer to = CpuBuffer.of(out, "attend", "out", tokens * shape.heads() * headDim);
    attention.attend(layer, from, mine, to);
  }

  @Override
  public BlockSelection selection(Batch batch, int span) {
    return batch(batch, "selection").choices().selection(span);
  }

  @Override
  public SparseCounters sparseCounters() {
    return attention.sparseCounters();
  }

  @Override
  public int[] sample(DeviceBuffer logits, Vocabulary vocabulary, Batch batch) {
    CpuBatch mine = batch(batch, "sample");
    if (!(vocabulary instanceof CpuVocabulary ids)) {
      throw new IllegalArgumentException(
          "sample: the vocabulary is a %s; expected one of the cpu back end"
              .formatted(vocabulary.getClass().getName()));
    }
    long elements = Shapes.elements("sample", mine.outputs(), ids.width());
    return sampling.sample(CpuBuffer.of(logits, "sample", "logits", elements), ids, mine);
  }

  private void checkOpen(String operation) {
    if (closed) {
      throw new IllegalStateException(operation + ": the back end was closed");
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    current = null;
    replayed.close();
    matrices.forEach(CpuMatrix::close);
    attention.close();
    elementwise.close();
    products.close();
    threads.close();
  }
}
