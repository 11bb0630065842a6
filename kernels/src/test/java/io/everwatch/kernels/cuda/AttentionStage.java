// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A pool whose contexts take passes through the attention of one layer. */
final class AttentionStage implements AutoCloseable {
  static final int LAYER = 1;

  private final CudaStream stream;
  private final DeviceArrays arrays;
  final CudaRowPool pool;
  private final int[] order; // in which slots are given out
  private int given;
  int lastTile; // queries of a work item of the last prefill

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
    List<Span> spans = new ArrayList<>();
    int rows = 0;
    for (int i = 0; i < counts.length; i++) {
      extend(actors.get(i), counts[i]);
      spans.add(new Span(actors.get(i).context, rows, counts[i]));
      rows += counts[i];
    }
    StepTables tables = pool.batches().prefill(spans, new int[rows], new int[] {rows - 1});
    lastTile = tables.tileQueries();
    return pass(tables, actors, counts);
  }

  /** The next row of each stream through a decode pass. */
  List<float[]> decode(List<Actor> actors) {
    int[] counts = new int[actors.size()];
    List<CudaContext> contexts = new ArrayList<>();
    for (int i = 0; i < counts.length; i++) {
      extend(actors.get(i), 1);
      contexts.add(actors.get(i).context);
      counts[i] = 1;
    }
    return pass(pool.batches().decode(contexts, new int[counts.length]), actors, counts);
  }

  void extend(Actor actor, int count) {
    int from = actor.context.rows();
    actor.context.extend(takeSlots(count), actor.data.positions(from, from + count));
  }

  private List<float[]> pass(StepTables tables, List<Actor> actors, int... counts) {
    long out = launch(tables, actors, counts);
    stream.synchronize();
    int outWidth = pool.shape().heads() * pool.shape().headDim();
    int elements = tables.rows() * outWidth;
    float[] all =
        pool.dtype() == DType.F32 ? arrays.floats(out, elements) : arrays.widened(out, elements);
    for (int i = tables.liveRows() * outWidth; i < all.length; i++) {
      if (!Float.isNaN(all[i])) {
        throw new AssertionError("a row beyond the live ones was written");
      }
    }
    List<float[]> results = new ArrayList<>();
    int at = 0;
    for (int count : counts) {
      results.add(Arrays.copyOfRange(all, at, at + count * outWidth));
      at += count * outWidth;
    }
    return results;
  }

  /** Launches a pass and waits for nothing; the address of its result. */
  long launch(StepTables tables, List<Actor> actors, int... counts) {
    KvShape shape = pool.shape();
    int width = (shape.heads() + 2 * shape.kvHeads()) * shape.headDim();
    float[] qkv = new float[tables.rows() * width];
    Arrays.fill(qkv, Float.NaN); // of rows that do not exist
    int row = 0;
    for (int i = 0; i < counts.length; i++) {
      int first = actors.get(i).context.rows() - counts[i];
      for (int r = 0; r < counts[i]; r++, row++) {
        System.arraycopy(actors.get(i).data.token(first + r, LAYER), 0, qkv, row * width, width);
      }
    }
    float[] nothing = new float[tables.rows() * shape.heads() * shape.headDim()];
    Arrays.fill(nothing, Float.NaN);
    boolean f32 = pool.dtype() == DType.F32;
    long in = f32 ? arrays.of(qkv) : arrays.bf16(qkv);
    long out = f32 ? arrays.of(nothing) : arrays.bf16(nothing);
    pool.attention().begin(tables);
    pool.attention().attend(LAYER, in, tables, out);
    return out;
  }

  @Override
  public void close() {
    pool.close();
    arrays.close();
    stream.close();
  }
}
