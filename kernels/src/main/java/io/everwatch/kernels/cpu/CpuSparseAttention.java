// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelection.Probe;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.kernels.sparse.HeadSelector;
import io.everwatch.kernels.sparse.HeadVectors;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Attention of spans that choose their key blocks: first every query head chooses, then every row
 * block of every head attends. Both are tasks for threads; none knows of another, so neither their
 * number nor other spans change a bit.
 */
final class CpuSparseAttention implements AutoCloseable {
  private final BlockKernel kernel;
  private final CpuThreads threads;
  private final Stage[] stages;
  private volatile SparseCounters counters = SparseCounters.NONE;

  /** Memory of one thread. */
  private static final class Stage {
    float[] queries = new float[0];
    float[] out = new float[0];
    float[] lse = new float[0];
    float[] probe = new float[0];

    void reserve(int block, int headDim) {
      if (queries.length < block * headDim || lse.length < block) {
        queries = new float[block * headDim];
        out = new float[block * headDim];
        lse = new float[block];
      }
    }

    void reserveProbe(int elements) {
      if (probe.length < elements) {
        probe = new float[elements];
      }
    }
  }

  CpuSparseAttention(BlockKernel kernel, CpuThreads threads) {
    this.kernel = kernel;
    this.threads = threads;
    stages = Stream.generate(Stage::new).limit(threads.count()).toArray(Stage[]::new);
  }

  SparseCounters counters() {
    return counters;
  }

  /** Where one span's queries come from and its outputs go. */
  private record Pass(
      Span span, CpuContext context, BlockGrid grid, int layer, CpuBuffer qkv, CpuBuffer out) {
    KvShape shape() {
      return context.pool().shape();
    }

    int kvHead(int head) {
      return head / (shape().heads() / shape().kvHeads());
    }

    float[] keyMeans(int kvHead) {
      return context.means().of(layer, kvHead, grid.block(), grid.keys());
    }

    KvWindow keys(int head) {
      return new KvWindow(context.copy(), layer, kvHead(head), 0, grid.keys());
    }

    /** Fills {@code to [count, D]} with rotated queries of a head. */
    void queries(int head, int first, int count, float[] to) {
      int headDim = shape().headDim();
      int tokenWidth = shape().heads() * headDim + 2 * context.pool().width();
      for (int i = 0; i < count; i++) {
        Rotation.rotate(
            qkv.data,
            qkv.from + (span.first() + first + i) * tokenWidth + head * headDim,
            context.factors(),
            (grid.contextRows() + first + i) * headDim,
            headDim,
            to,
            i * headDim);
      }
    }
  }

  /**
   * Attends over what the span's heads choose; K and V of its rows are in the working copy.
   *
   * @return what they chose
   */
  BlockSelection attend(int layer, CpuBuffer qkv, Span span, CpuBuffer out) {
    BlockSelector selector = Objects.requireNonNull(span.selector());
    CpuContext context = (CpuContext) span.context();
    BlockGrid grid = BlockGrid.of(span, selector);
    Pass pass = new Pass(span, context, grid, layer, qkv, out);
    int headCount = pass.shape().heads();
    int headDim = pass.shape().headDim();
    HeadSelector choose = HeadSelector.of(selector);
    float[][] pooled = selector instanceof FlexPrefill ? pooledKeys(pass) : new float[0][];
    Head[] chosen = new Head[headCount];
    threads.run(
        headCount,
        (long) grid.probes() * grid.keys() * headDim,
        (worker, head) ->
            chosen[head] = choose.select(head, grid, new Vectors(worker, pass, pooled, head)));
    List<Head> heads = List.of(chosen);
    BlockSelection selection =
        new BlockSelection(grid, heads, new float[grid.queries() * headCount]);
    long cells = heads.stream().mapToLong(head -> head.mask().count()).sum();
    int tasks = headCount * grid.rows();
    threads.run(
        tasks,
        2 * cells * grid.block() * grid.block() * headDim / tasks,
        (worker, task) ->
            attendRow(worker, pass, task / grid.rows(), task % grid.rows(), selection));
    counters = counted(selection, cells);
    return selection;
  }

  /** Kp of each KV head, made before heads that share it choose. */
  private float[][] pooledKeys(Pass pass) {
    float[][] pooled = new float[pass.shape().kvHeads()][];
    threads.run(
        pooled.length,
        (long) pass.grid().queries() * pass.shape().headDim(), // the context's are mostly kept
        (worker, kvHead) -> pooled[kvHead] = pass.keyMeans(kvHead));
    return pooled;
  }

  private void attendRow(int worker, Pass pass, int head, int row, BlockSelection selection) {
    BlockGrid grid = pass.grid();
    int headDim = pass.shape().headDim();
    int headCount = pass.shape().heads();
    int first = grid.firstQuery(row);
    int count = grid.firstQuery(row + 1) - first;
    Stage stage = stages[worker];
    stage.reserve(grid.block(), headDim);
    pass.queries(head, first, count, stage.queries);
    KeyRuns runs = KeyRuns.of(selection.heads().get(head).mask(), row, grid);
    kernel.attend(worker, pass.keys(head), runs, stage.queries, count, stage.out, stage.lse);
    for (int i = 0; i < count; i++) {
      int token = pass.span().first() + first + i;
      System.arraycopy(
          stage.out,
          i * headDim,
          pass.out().data,
          pass.out().from + (token * headCount + head) * headDim,
          headDim);
      selection.lse()[(first + i) * headCount + head] = stage.lse[i];
    }
  }

  private SparseCounters counted(BlockSelection selection, long cells) {
    SparseCounters before = counters;
    List<Head> heads = selection.heads();
    List<Probe> probes = heads.stream().map(Head::probe).flatMap(Optional::stream).toList();
    return new SparseCounters(
        before.spans() + 1,
        before.verticalSlash() + count(heads, Pattern.VERTICAL_SLASH),
        before.queryAware() + count(heads, Pattern.QUERY_AWARE),
        before.chosenCells() + cells,
        before.causalCells() + heads.size() * selection.grid().causalCells(),
        before.keptMass() + probes.stream().mapToDouble(Probe::keptMass).sum(),
        before.keptSamples() + probes.size());
  }

  private static long count(List<Head> heads, Pattern pattern) {
    return heads.stream().filter(head -> head.pattern() == pattern).count();
  }

  @Override
  public void close() {
    kernel.close();
  }

  /** What a selector sees of a head. */
  private final class Vectors implements HeadVectors {
    private final int worker;
    private final Pass pass;
    private final float[][] pooled;
    private final int head;

    Vectors(int worker, Pass pass, float[][] pooled, int head) {
      this.worker = worker;
      this.pass = pass;
      this.pooled = pooled;
      this.head = head;
    }

    @Override
    public int headDim() {
      return pass.shape().headDim();
    }

    @Override
    public void queries(int first, int count, float[] out) {
      pass.queries(head, first, count, out);
    }

    @Override
    public float[] pooledKeys(BlockGrid grid) {
      return pooled[pass.kvHead(head)];
    }

    @Override
    public float[] probabilities(BlockGrid grid, int first, int count) {
      Stage stage = stages[worker];
      stage.reserve(count, headDim());
      stage.reserveProbe(Math.multiplyExact(count, grid.keys()));
      pass.queries(head, first, count, stage.queries);
      int visible = grid.contextRows() + first + 1;
      kernel.probabilities(worker, pass.keys(head), stage.queries, count, visible, stage.probe);
      return stage.probe;
    }
  }
}
