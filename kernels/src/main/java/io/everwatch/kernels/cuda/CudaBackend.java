// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.DeviceCounters;
import io.everwatch.kernels.DeviceSpace;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.PatchBatch;
import io.everwatch.kernels.PatchMaker;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Shapes;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.kernels.Table;
import io.everwatch.kernels.TensorSource;
import io.everwatch.kernels.Vector;
import io.everwatch.kernels.Vocabulary;
import io.everwatch.kernels.cuda.CudaLinear.Phase;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Checks arguments and hands them to the launchers, all on one stream: an operation returns when it
 * is in the stream, and runs after those before it. The activation type is bf16, or float32 on the
 * plain path of the tests; weights, cached rows and their working copies are of the same type.
 */
final class CudaBackend implements Backend {
  static final String NAME = "cuda";

  // Left when a pool takes all there is: step tables, rows on their way, graphs, the driver's own.
  private static final long LEAST_RESERVE = 64L << 20;
  private static final long MOST_RESERVE = 1L << 30;
  private static final int RESERVED_PART = 32; // of the device

  private static final int RING_PIECES = 4;
  private static final int RING_BYTES = 4 << 20;

  private final CudaDevice device;
  private final DType dtype;
  private final String build;
  private final CudaStream stream;
  private final UploadRing ring;
  private final Downloads downloads;
  private final CudaParameters parameters;
  private final CudaOperations operations;
  private final CudaPatchMaker patchMaker;
  private final CudaSampling sampling;
  private final CudaGraphs graphs;
  private Phase phase = Phase.PREFILL;
  private @Nullable StepTables current;
  private boolean closed;

  /**
   * @param device closed with this, also when this throws
   */
  CudaBackend(CudaDevice device, DType dtype) {
    this(device, dtype, true);
  }

  /**
   * As the other one.
   *
   * @param recordDecode whether decode passes are recorded as graphs; the bits are the same
   */
  CudaBackend(CudaDevice device, DType dtype, boolean recordDecode) {
    this.device = device;
    this.dtype = dtype;
    try {
      build = KernelBuild.digest(device, KernelImages.standard());
      KernelBuild.load(device);
      stream = CudaStream.open(device);
      ring = new UploadRing(stream, RING_PIECES, RING_BYTES);
      downloads = new Downloads(stream);
      operations = new CudaOperations(stream, ring, dtype);
      parameters = new CudaParameters(stream, dtype);
      patchMaker = new CudaPatchMaker(stream, ring, dtype);
      sampling = new CudaSampling(stream, ring);
      graphs = new CudaGraphs(stream, dtype, recordDecode);
    } catch (RuntimeException | Error e) {
      try (device) {
        throw e;
      }
    }
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String numerics() {
    return "%s: %s, compute capability %d.%d; kernels %s; %s; attention %s"
        .formatted(
            NAME,
            device.emulated() ? "emulated" : device.name(),
            device.computeCapability() / 10,
            device.computeCapability() % 10,
            build,
            operations.numerics(),
            CudaAttention.numerics());
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  // --- weights ---

  @Override
  public Matrix matrix(String name, List<? extends TensorSource> parts) {
    enter("matrix");
    return parameters.matrix(name, parts);
  }

  @Override
  public Vector vector(String name, List<? extends TensorSource> parts) {
    enter("vector");
    return parameters.vector(name, parts);
  }

  @Override
  public Table table(TensorSource source) {
    enter("table");
    return parameters.table(source);
  }

  @Override
  public Vocabulary vocabulary(int width, BitSet drawable) {
    enter("vocabulary");
    return sampling.vocabulary(width, drawable);
  }

  // --- memory ---

  @Override
  public Arena arena() {
    enter("arena");
    parameters.endLoading();
    return new CudaArena(stream, dtype);
  }

  @Override
  public RowPool rowPool(KvShape shape, int slots) {
    enter("rowPool");
    parameters.endLoading();
    return new CudaRowPool(stream, shape, dtype, slots);
  }

  @Override
  public int slots(KvShape shape, long bytes) {
    enter("slots");
    parameters.endLoading();
    long reserve = Math.min(MOST_RESERVE, LEAST_RESERVE + device.totalBytes() / RESERVED_PART);
    return CudaRowPool.slotsWithin(shape, dtype, bytes == 0 ? device.freeBytes() - reserve : bytes);
  }

  @Override
  public Optional<DeviceSpace> space() {
    enter("space");
    return Optional.of(new DeviceSpace(device.freeBytes(), device.totalBytes()));
  }

  @Override
  public Context context(RowPool pool) {
    enter("context");
    if (!(pool instanceof CudaRowPool mine)) {
      throw new IllegalArgumentException(
          "context: the pool is a %s; expected one of the cuda back end"
              .formatted(pool.getClass().getName()));
    }
    return mine.context();
  }

  @Override
  public void upload(float[] values, int from, int count, DeviceBuffer to) {
    enter("upload");
    CudaBuffer buffer = CudaBuffer.of(to, "upload", "to", count);
    ring.upload(values, from, count, buffer.dtype(), buffer.address());
  }

  @Override
  public void download(DeviceBuffer source, long from, float[] to, int at, int count) {
    enter("download");
    CudaBuffer buffer = CudaBuffer.of(source, "download", "source", from + count);
    long address = buffer.address() + from * buffer.dtype().sizeBytes();
    downloads.download(address, buffer.dtype(), to, at, count);
  }

  // --- batches ---

  @Override
  public Batch prefillBatch(List<Span> spans, int[] ids, int[] outputs, List<Draw> draws) {
    enter("prefillBatch");
    current = null;
    StepTables tables =
        pool("prefillBatch", spans.stream().map(Span::context).findFirst())
            .batches()
            .prefill(spans, ids, outputs);
    return begin(tables, Phase.PREFILL, draws);
  }

  @Override
  public Batch decodeBatch(List<? extends Context> contexts, int[] ids, List<Draw> draws) {
    enter("decodeBatch");
    current = null;
    StepTables tables =
        pool("decodeBatch", contexts.stream().map(Context.class::cast).findFirst())
            .batches()
            .decode(contexts, ids);
    return begin(tables, Phase.DECODE, draws);
  }

  private static CudaRowPool pool(String operation, Optional<Context> first) {
    Context context =
        first.orElseThrow(
            () ->
                new IllegalArgumentException(
                    operation + ": a batch of no stream; expected one stream at least"));
    if (!(context instanceof CudaContext mine)) {
      throw new IllegalArgumentException(
          "%s: the context is a %s; expected one of the cuda back end"
              .formatted(operation, context.getClass().getName()));
    }
    return mine.pool();
  }

  private Batch begin(StepTables tables, Phase of, List<Draw> draws) {
    sampling.begin(tables, draws);
    tables.pool().attention().begin(tables);
    phase = of;
    current = tables;
    return tables;
  }

  private StepTables tables(Batch batch, String operation) {
    enter(operation);
    StepTables mine = current;
    if (mine == null || batch != mine) {
      throw new IllegalArgumentException(
          "%s: the batch is not the last one that this back end made; make it before each pass"
              .formatted(operation));
    }
    return mine;
  }

  @Override
  public PatchBatch patchBatch(
      float[] angles, int headDim, List<int[]> segmentations, Arena arena) {
    enter("patchBatch");
    CudaArena mine = CudaArena.of(arena, "patchBatch");
    phase = Phase.PREFILL;
    return operations.patchBatch(angles, headDim, segmentations, mine);
  }

  @Override
  public Optional<PatchMaker> patchMaker() {
    return Optional.of(patchMaker);
  }

  @Override
  public <R> R replay(Object key, Batch batch, Function<Arena, R> body) {
    return graphs.replay(key, tables(batch, "replay"), body);
  }

  // --- operations ---

  @Override
  public void embed(Table table, Batch batch, DeviceBuffer out) {
    operations.embed(table, tables(batch, "embed"), out);
  }

  @Override
  public void outputs(DeviceBuffer x, Batch batch, int width, DeviceBuffer out) {
    operations.outputs(x, tables(batch, "outputs"), width, out);
  }

  @Override
  public void scatter(DeviceBuffer x, int first, int[] rows, int width, DeviceBuffer out) {
    enter("scatter");
    operations.scatter(x, first, rows, width, out);
  }

  @Override
  public void rmsNorm(DeviceBuffer x, Vector gain, float eps, int tokens, DeviceBuffer out) {
    enter("rmsNorm");
    operations.rmsNorm(x, gain, eps, tokens, out);
  }

  @Override
  public void linear(
      DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out) {
    enter("linear");
    operations.linear(phase, x, w, bias, tokens, out);
  }

  @Override
  public void linearAdd(
      DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out) {
    enter("linearAdd");
    operations.linearAdd(phase, x, w, bias, tokens, out);
  }

  @Override
  public void swiGlu(DeviceBuffer gateUp, int tokens, int width, DeviceBuffer out) {
    enter("swiGlu");
    operations.swiGlu(gateUp, tokens, width, out);
  }

  @Override
  public void gelu(DeviceBuffer x, long elements) {
    enter("gelu");
    operations.gelu(x, elements);
  }

  @Override
  public void segmentAttention(
      DeviceBuffer qkv, PatchBatch patches, int segmentation, int heads, DeviceBuffer out) {
    enter("segmentAttention");
    operations.segmentAttention(qkv, patches, segmentation, heads, out);
  }

  @Override
  public void attend(int layer, DeviceBuffer qkv, Batch batch, DeviceBuffer out) {
    operations.attend(layer, qkv, tables(batch, "attend"), out);
  }

  @Override
  public int[] sample(DeviceBuffer logits, Vocabulary vocabulary, Batch batch) {
    StepTables tables = tables(batch, "sample");
    if (!(vocabulary instanceof CudaVocabulary ids)) {
      throw new IllegalArgumentException(
          "sample: the vocabulary is a %s; expected one of the cuda back end"
              .formatted(vocabulary.getClass().getName()));
    }
    long elements = Shapes.elements("sample", tables.outputs(), ids.width());
    long address = CudaBuffer.of(logits, "sample", "logits", elements, DType.F32);
    return sampling.sample(address, ids, tables);
  }

  @Override
  public BlockSelection selection(Batch batch, int span) {
    StepTables tables = tables(batch, "selection");
    return tables.pool().sparse().selection(tables, span);
  }

  @Override
  public SparseCounters sparseCounters() {
    return sampling.sparseTotals().read();
  }

  @Override
  public long sparseSpace(KvShape shape, int queries, int keys, FlexPrefill selector) {
    return CudaSparsePrefill.space(shape, dtype, queries, keys, selector);
  }

  @Override
  public DeviceCounters counters() {
    return stream.counters().with(device.allocations());
  }

  /** Decode passes recorded so far. */
  int recordings() {
    return graphs.recorded();
  }

  private void enter(String operation) {
    if (closed) {
      throw new IllegalStateException(operation + ": the back end was closed");
    }
    device.enter();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    device.enter();
    closed = true;
    current = null;
    Closing.all(
        new ArrayList<>(List.of(device, stream, ring, downloads, parameters, sampling, graphs)));
  }
}
