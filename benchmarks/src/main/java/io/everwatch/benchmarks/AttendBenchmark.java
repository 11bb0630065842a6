// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Attention of one layer over cached rows, and the working copy made of them. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up method the rest
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class AttendBenchmark {
  @Param({"oneDNN", "plain"})
  public String products;

  /** The shipped model, all layers; one layer of a 7B model. */
  @Param({"shipped", "7B"})
  public String model;

  @Param({"1", "40"})
  public int tokens;

  /** Not a multiple of 7. */
  @Param("1000")
  public int cached;

  /**
   * {@code dense}; {@code sparse}: chosen as FlexPrefill does, flat heads, which choose most;
   * {@code half}: over random columns of half of the blocks that are prescribed, without a search.
   */
  @Param("dense")
  public String attention;

  @Param("1")
  public int threads;

  private KvShape shape;
  private Backend backend;
  private Arena arena;
  private RowPool pool;
  private Context context;
  private Batch batch;
  private DeviceBuffer qkv;
  private DeviceBuffer out;
  private int[] slots;
  private float[][] positions;

  @Setup
  public void open() {
    shape =
        model.equals("shipped")
            ? new KvShape(4, 6, 2, 32, new int[] {4, 6, 6}, 10_000)
            : new KvShape(1, 28, 4, 128, new int[] {16, 24, 24}, 1_000_000);
    backend = Inputs.open(products, threads);
    arena = backend.arena();
    pool = backend.rowPool(shape, cached + tokens);
    slots = IntStream.range(0, cached).map(i -> i * 7 % cached).toArray();
    positions = new float[3][cached + tokens];
    for (float[] axis : positions) {
      for (int i = 0; i < axis.length; i++) {
        axis[i] = i;
      }
    }
    int elements = (int) shape.rowElements();
    float[] row = new float[elements];
    Arrays.fill(row, 0.5f); // equal values: their weighted mean is known
    byte[][] rows = new byte[cached][];
    Arrays.fill(rows, RowValues.bytes(row));
    pool.write(IntStream.range(0, cached).toArray(), rows);
    context = load();
    context.extend(
        IntStream.range(cached, cached + tokens).toArray(), part(cached, cached + tokens));
    int width = (shape.heads() + 2 * shape.kvHeads()) * shape.headDim();
    float[] input = new float[tokens * width];
    Arrays.fill(input, 0.5f);
    qkv = arena.allocate(tokens, width);
    out = arena.allocate(tokens, (long) shape.heads() * shape.headDim());
    backend.upload(input, 0, input.length, qkv);
    batch =
        backend.prefillBatch(
            List.of(new Span(context, 0, tokens, selector())),
            new int[tokens],
            new int[0],
            List.of());
    backend.attend(0, qkv, batch, out);
    float[] last = new float[1];
    backend.download(out, out.elements() - 1, last, 0, 1);
    Inputs.check(0.5, last[0], 1);
  }

  private @Nullable BlockSelector selector() {
    return switch (attention) {
      case "dense" -> null;
      case "sparse" -> FlexPrefill.DEFAULT;
      case "half" -> half(new BlockGrid(FlexPrefill.DEFAULT.block(), tokens, cached + tokens));
      default ->
          throw new IllegalArgumentException(
              "attention is %s; expected dense, sparse or half".formatted(attention));
    };
  }

  private ChosenBlocks half(BlockGrid grid) {
    List<BlockMask> masks = new ArrayList<>();
    for (int head = 0; head < shape.heads(); head++) {
      Random random = new Random(head);
      byte[] cells = new byte[grid.rows() * grid.blocks()];
      for (int c = 0; c < grid.blocks(); c++) {
        boolean column = random.nextBoolean();
        for (int row = Math.max(0, c - grid.firstRow()); row < grid.rows(); row++) {
          boolean diagonal = c == grid.firstRow() + row;
          cells[row * grid.blocks() + c] = (byte) (column || diagonal ? 1 : 0);
        }
      }
      masks.add(BlockMask.of(grid.rows(), grid.blocks(), cells, 0));
    }
    return new ChosenBlocks(grid.block(), masks);
  }

  private Context load() {
    Context loaded = backend.context(pool);
    loaded.load(slots, part(0, cached));
    return loaded;
  }

  private float[][] part(int from, int to) {
    return Arrays.stream(positions)
        .map(axis -> Arrays.copyOfRange(axis, from, to))
        .toArray(float[][]::new);
  }

  /** Products of queries and keys, and of weights and values. */
  @Benchmark
  public void attend(Work work) {
    backend.attend(0, qkv, batch, out);
    work.add(4.0 * tokens * (cached + tokens) * shape.heads() * shape.headDim());
  }

  /** Once per chunk: three multiplications and additions per pair and component of K. */
  @Benchmark
  public void loadWorkingCopy(Work work) {
    load().close();
    work.add(1.5 * cached * shape.rowElements());
  }

  @TearDown
  public void close() {
    context.close();
    pool.close();
    arena.close();
    backend.close();
  }
}
