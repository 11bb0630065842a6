// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/** A pool whose contexts take passes through the attention of one layer. */
final class AttentionStage implements AutoCloseable {
  static final int LAYER = 1;

  private final CudaStream stream;
  private final DeviceArrays arrays;
  final CudaRowPool pool;
  private final int[] order; // in which slots are given out
  private int given;
  private @Nullable CUgraphExec graph;
  private long graphIn;
  private long graphOut;

  /** One stream's context and how far it is. */
  static final class Actor {
    final AttentionStream data;
    final CudaContext context;

    Actor(AttentionStream data, CudaContext context) {
      this.data = data;
      this.context = context;
    }
  }

  /**
   * @param slotSeed which slots and work blocks are used
   */
  AttentionStage(CudaDevice device, KvShape shape, DType dtype, int slots, long slotSeed) {
    stream = CudaStream.open(device);
    arrays = new DeviceArrays(device);
    pool = new CudaRowPool(stream, shape, dtype, slots);
    order = Samples.permutation(slotSeed, slots);
    shuffleWorkBlocks(slotSeed);
  }

  /** Takes blocks and gives them back in another order. */
  private void shuffleWorkBlocks(long seed) {
    WorkBlocks blocks = pool.workBlocks();
    int[] taken = new int[blocks.total()];
    for (int i = 0; i < taken.length; i++) {
      taken[i] = blocks.take();
    }
    for (int i : Samples.permutation(seed + 1, taken.length)) {
      blocks.give(taken[i]);
    }
  }

  int[] takeSlots(int count) {
    given += count;
    return Arrays.copyOfRange(order, given - count, given);
  }

  /** A context with {@code loaded} rows of the data in the pool. */
  Actor actor(AttentionStream data, int loaded) {
    int[] slots = takeSlots(loaded);
    byte[][] rows = new byte[loaded][];
    for (int i = 0; i < loaded; i++) {
      rows[i] = data.bytes(i);
    }
    pool.write(slots, rows);
    return actor(data, slots);
  }

  /** A context over rows that the pool already has. */
  Actor actor(AttentionStream data, int[] slots) {
    Actor actor = new Actor(data, pool.context());
    if (slots.length > 0) {
      actor.context.load(slots, data.positions(0, slots.length));
    }
    return actor;
  }

  /**
   * The next rows of each stream through a prefill pass; results per stream {@code [rows, H * D]}.
   */
  List<float[]> prefill(List<Actor> actors, int... counts) {
    return prefillLater(actors, counts).get();
  }

  /** As {@link #prefill}; only the result waits. */
  Supplier<List<float[]>> prefillLater(List<Actor> actors, int... counts) {
    for (int i = 0; i < counts.length; i++) {
      extend(actors.get(i), takeSlots(counts[i]));
    }
    return prefillExtended(actors, counts);
  }

  /** Computes the next rows of one stream into slots of the caller's. */
  void prefillInto(Actor actor, int[] slots) {
    extend(actor, slots);
    prefillExtended(List.of(actor), slots.length);
  }

  private Supplier<List<float[]>> prefillExtended(List<Actor> actors, int... counts) {
    List<Span> spans = new ArrayList<>();
    int rows = 0;
    for (int i = 0; i < counts.length; i++) {
      spans.add(new Span(actors.get(i).context, rows, counts[i]));
      rows += counts[i];
    }
    StepTables tables = pool.batches().prefill(spans, new int[rows], new int[] {rows - 1});
    return later(tables, actors, counts);
  }

  /** The next row of each stream through a decode pass. */
  List<float[]> decode(List<Actor> actors) {
    return decodeLater(actors).get();
  }

  /** As {@link #decode}; only the result waits. */
  Supplier<List<float[]>> decodeLater(List<Actor> actors) {
    return later(decodeTables(actors), actors, ones(actors));
  }

  /** As {@link #decode}, through a graph that the first call recorded. */
  List<float[]> replay(List<Actor> actors) {
    StepTables tables = decodeTables(actors);
    float[] qkv = qkv(tables, actors, ones(actors));
    if (graph == null) {
      graphIn = upload(qkv);
      graphOut = upload(nothing(tables));
      graph = record(tables);
    }
    overwrite(graphIn, qkv);
    overwrite(graphOut, nothing(tables));
    pool.attention().begin(tables);
    JCudaDriver.cuGraphLaunch(graph, stream.handle());
    return results(tables.rows(), graphOut, ones(actors));
  }

  private CUgraphExec record(StepTables tables) {
    JCudaDriver.cuStreamBeginCapture(
        stream.handle(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    pool.attention().attend(LAYER, graphIn, tables, graphOut);
    CUgraph captured = new CUgraph();
    JCudaDriver.cuStreamEndCapture(stream.handle(), captured);
    CUgraphExec made = new CUgraphExec();
    JCudaDriver.cuGraphInstantiate(made, captured, 0);
    return made;
  }

  private static int[] ones(List<Actor> actors) {
    int[] ones = new int[actors.size()];
    Arrays.fill(ones, 1);
    return ones;
  }

  private StepTables decodeTables(List<Actor> actors) {
    List<CudaContext> contexts = new ArrayList<>();
    for (Actor actor : actors) {
      extend(actor, takeSlots(1));
      contexts.add(actor.context);
    }
    return pool.batches().decode(contexts, new int[contexts.size()]);
  }

  private static void extend(Actor actor, int[] slots) {
    int from = actor.context.rows();
    actor.context.extend(slots, actor.data.positions(from, from + slots.length));
  }

  /** Launches a pass and waits for nothing; the result waits. */
  private Supplier<List<float[]>> later(StepTables tables, List<Actor> actors, int... counts) {
    long in = upload(qkv(tables, actors, counts));
    long out = upload(nothing(tables));
    pool.attention().begin(tables);
    pool.attention().attend(LAYER, in, tables, out);
    int rows = tables.rows();
    return () -> results(rows, out, counts);
  }

  /** Q, K and V of the batch's rows; NaN in those that do not exist. */
  private float[] qkv(StepTables tables, List<Actor> actors, int... counts) {
    KvShape shape = pool.shape();
    int width = (shape.heads() + 2 * shape.kvHeads()) * shape.headDim();
    float[] qkv = new float[tables.rows() * width];
    Arrays.fill(qkv, Float.NaN);
    int row = 0;
    for (int i = 0; i < counts.length; i++) {
      int first = actors.get(i).context.rows() - counts[i];
      for (int r = 0; r < counts[i]; r++, row++) {
        System.arraycopy(actors.get(i).data.token(first + r, LAYER), 0, qkv, row * width, width);
      }
    }
    return qkv;
  }

  private float[] nothing(StepTables tables) {
    float[] nothing = new float[tables.rows() * outWidth()];
    Arrays.fill(nothing, Float.NaN);
    return nothing;
  }

  private int outWidth() {
    return pool.shape().heads() * pool.shape().headDim();
  }

  private boolean f32() {
    return pool.dtype() == DType.F32;
  }

  private long upload(float[] values) {
    return f32() ? arrays.of(values) : arrays.bf16(values);
  }

  private void overwrite(long address, float[] values) {
    BlockingCopies copies = new BlockingCopies(stream.device());
    if (f32()) {
      copies.write(address, values);
    } else {
      copies.write(address, Bf16.of(values));
    }
  }

  private List<float[]> results(int rows, long out, int... counts) {
    stream.synchronize();
    int elements = rows * outWidth();
    float[] all = f32() ? arrays.floats(out, elements) : arrays.widened(out, elements);
    List<float[]> results = new ArrayList<>();
    int at = 0;
    for (int count : counts) {
      results.add(Arrays.copyOfRange(all, at, at + count * outWidth()));
      at += count * outWidth();
    }
    for (int i = at; i < all.length; i++) {
      if (!Float.isNaN(all[i])) {
        throw new AssertionError("a row beyond the live ones was written");
      }
    }
    return results;
  }

  @Override
  public void close() {
    pool.close();
    arrays.close();
    stream.close();
  }
}
