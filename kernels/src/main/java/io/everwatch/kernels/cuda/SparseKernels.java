// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;

/**
 * Launches {@code sparse_pool.cu}, {@code sparse_probe.cu}, {@code sparse_select.cu}, {@code
 * sparse_rows.cu} and {@code sparse_attention.cu} for one pool: a dozen launches a layer and span,
 * of lengths that the host knows. Shapes: n rows of the span, N of its context, H heads, K KV
 * heads, D head dim, B block, nb key blocks, R row blocks.
 */
final class SparseKernels {
  private static final double LOG2_E = 1 / Math.log(2);
  private static final double ONE = 0x1p40; // of running totals
  private static final int THREADS = 128;
  private static final int SELECT_THREADS = 512;
  private static final int BINS_BYTES = 24792; // Bins of common/threshold.cuh
  private static final int SHARE_BYTES = 128 * 72 * 4; // shares of a tile, sparse_probe.cu

  private final CudaRowPool pool;
  private final KvShape shape;
  private final boolean plain;
  private final float scale; // of scores, in units of log2
  private final Kernel poolKeys;
  private final Kernel poolQueries;
  private final Kernel stats;
  private final Kernel mergeStats;
  private final Kernel sums;
  private final Kernel distances;
  private final Kernel decide;
  private final Kernel map;
  private final Kernel cut;
  private final Kernel rows;
  private final Kernel order;
  private final Kernel attention;
  private final Kernel merge;

  SparseKernels(CudaRowPool pool) {
    this.pool = pool;
    this.shape = pool.shape();
    this.plain = pool.dtype() == DType.F32;
    this.scale = (float) (LOG2_E / Math.sqrt(shape.headDim()));
    String type = plain ? "_f32" : "_bf16";
    String form = plain ? type : type + "_" + shape.headDim();
    KernelModule means = KernelModule.load(pool.device(), "sparse_pool");
    poolKeys = means.kernel("sparse_pool_keys" + type);
    poolQueries = means.kernel("sparse_pool_queries" + type);
    KernelModule probe = KernelModule.load(pool.device(), "sparse_probe");
    stats = probe.kernel("sparse_stats" + form);
    mergeStats = probe.kernel("sparse_merge_stats");
    sums = probe.kernel("sparse_sums" + form);
    distances = probe.kernel("sparse_distances");
    KernelModule select = KernelModule.load(pool.device(), "sparse_select");
    decide = select.kernel("sparse_decide");
    map = select.kernel("sparse_map");
    cut = select.kernel("sparse_cut");
    KernelModule lists = KernelModule.load(pool.device(), "sparse_rows");
    rows = lists.kernel("sparse_rows");
    order = lists.kernel("sparse_order");
    KernelModule attend = KernelModule.load(pool.device(), "sparse_attention");
    merge = attend.kernel("sparse_attention_merge");
    attention =
        (plain ? KernelModule.load(pool.device(), "attention_plain") : attend)
            .kernel("sparse_attention" + form);
  }

  /**
   * Chooses and attends for one layer of one span, whose new rows were appended before.
   *
   * @param shared address of what spans share
   * @param kept address of the span's own area
   * @param mask address of its masks: in that area, or given with the selector
   * @param out address of {@code [T, H * D]}
   */
  void attend(
      int layer,
      long qkv,
      StepTables tables,
      SparseSpan span,
      long shared,
      long kept,
      long mask,
      long out) {
    Pass pass = new Pass(layer, qkv, tables, span, shared, kept, mask);
    if (span.selector() instanceof FlexPrefill flex) {
      pass.probe();
      pass.select(flex);
    }
    pass.rows();
    pass.attend(out);
  }

  private final class Pass {
    private final int layer;
    private final long qkv;
    private final StepTables tables;
    private final SparseSpan span;
    private final SparseLayout at;
    private final BlockGrid grid;
    private final long shared;
    private final long kept;
    private final long mask;
    private final int heads = shape.heads();

    Pass(
        int layer,
        long qkv,
        StepTables tables,
        SparseSpan span,
        long shared,
        long kept,
        long mask) {
      this.layer = layer;
      this.qkv = qkv;
      this.tables = tables;
      this.span = span;
      this.at = span.layout();
      this.grid = at.grid();
      this.shared = shared;
      this.kept = kept;
      this.mask = mask;
    }

    private void launch(Kernel kernel, int x, int y, int threads, int sharedBytes, Args args) {
      args.i32(heads)
          .i32(shape.kvHeads())
          .i32(grid.block())
          .i32(grid.queries())
          .i32(grid.keys()); // SparseGrid
      kernel.launch(pool.stream(), x, y, 1, threads, sharedBytes, args);
    }

    private long spanAddress() {
      return tables.spansAddress() + (long) StepLayout.SPAN_BYTES * span.index();
    }

    private Args inputs(Args args) {
      return args.pointer(qkv)
          .pointer(pool.workAddress(layer))
          .pointer(spanAddress())
          .pointer(tables.blocksAddress());
    }

    /** Pooled vectors, and the last queries' attention by key and by distance. */
    void probe() {
      int d = shape.headDim();
      launch(
          poolKeys,
          grid.blocks(),
          shape.kvHeads(),
          THREADS,
          0,
          poolKeys
              .args()
              .pointer(pool.workAddress(layer))
              .pointer(spanAddress())
              .pointer(tables.blocksAddress())
              .i32(d)
              .pointer(shared + at.pooledKeys()));
      launch(
          poolQueries,
          grid.rows() + 1,
          heads,
          THREADS,
          0,
          poolQueries
              .args()
              .pointer(qkv)
              .pointer(spanAddress())
              .i32(d)
              .pointer(shared + at.pooledQueries()));
      int space = plain ? 0 : (128 + 2 * StepTables.WORK_BLOCK_ROWS) * d * 2; // queries, keys
      launch(
          stats,
          heads,
          at.statParts(),
          THREADS,
          space,
          scaled(inputs(stats.args())).pointer(shared + at.stats()));
      launch(
          mergeStats,
          heads,
          1,
          THREADS,
          0,
          mergeStats
              .args()
              .pointer(shared + at.stats())
              .i32(at.statParts())
              .pointer(shared + at.probeRows()));
      launch(
          sums,
          heads,
          plain ? at.tiles() : at.statParts(),
          THREADS,
          plain ? 0 : space + SHARE_BYTES,
          scaled(inputs(sums.args()))
              .pointer(shared + at.probeRows())
              .pointer(shared + at.columns())
              .pointer(shared + at.diagonals()));
      launch(
          distances,
          at.tiles(),
          heads,
          StepTables.WORK_BLOCK_ROWS,
          0,
          distances.args().pointer(shared + at.diagonals()).pointer(shared + at.distances()));
    }

    /** The plain forms take the head dim, too. */
    private Args scaled(Args args) {
      return plain ? args.i32(shape.headDim()).f32(scale) : args.f32(scale);
    }

    /** Patterns, columns, diagonals, and the cells of query-aware heads. */
    void select(FlexPrefill flex) {
      int row = 4 * grid.blocks();
      launch(
          decide,
          heads,
          1,
          SELECT_THREADS,
          BINS_BYTES + 3 * row,
          decide
              .args()
              .pointer(shared + at.columns())
              .pointer(shared + at.distances())
              .pointer(shared + at.pooledKeys())
              .pointer(shared + at.pooledQueries())
              .i32(shape.headDim())
              .f32(scale)
              .i64((long) (flex.gamma() * ONE))
              .f32((float) flex.tau())
              .i32(flex.minBlocks())
              .i32(flex.maxBlocks(grid.blocks()))
              .pointer(kept)
              .pointer(kept + at.masses())
              .pointer(kept + at.picked()));
      if (flex.tau() > 0) {
        launch(
            map,
            grid.rows(),
            heads,
            THREADS,
            row,
            map.args()
                .pointer(shared + at.pooledKeys())
                .pointer(shared + at.pooledQueries())
                .i32(shape.headDim())
                .f32(scale)
                .pointer(kept)
                .pointer(shared + at.map()));
        launch(
            cut,
            heads,
            1,
            SELECT_THREADS,
            BINS_BYTES,
            cut.args()
                .pointer(shared + at.map())
                .i64((long) (flex.gamma() * grid.rows() * ONE))
                .pointer(kept));
      }
    }

    /** The mask's rows, and in which order they are attended. */
    void rows() {
      boolean chosen = span.selector() instanceof FlexPrefill;
      boolean denseLast = span.selector() instanceof FlexPrefill flex && flex.denseLastRow();
      launch(
          rows,
          grid.rows(),
          heads,
          32,
          0,
          rows.args()
              .pointer(chosen ? kept : 0)
              .pointer(kept + at.masses())
              .pointer(kept + at.picked())
              .pointer(shared + at.map())
              .i32(denseLast ? 1 : 0)
              .pointer(mask)
              .pointer(shared));
      launch(
          order,
          1,
          1,
          SELECT_THREADS,
          0,
          order
              .args()
              .pointer(shared)
              .pointer(chosen ? kept : 0)
              .pointer(shared + at.order())
              .pointer(pool.sparseTotalsAddress()));
    }

    void attend(long out) {
      Args args =
          attention
              .args()
              .pointer(qkv)
              .pointer(pool.workAddress(layer))
              .pointer(pool.valuesAddress(layer))
              .pointer(pool.slotOfAddress())
              .pointer(spanAddress())
              .pointer(tables.blocksAddress())
              .pointer(mask);
      if (plain) {
        args.pointer(out).pointer(kept + at.lse());
        launch(attention, grid.queries(), heads, THREADS, 0, scaled(args));
        return;
      }
      args.pointer(shared)
          .pointer(shared + at.order())
          .pointer(shared + at.partial())
          .pointer(shared + at.sums())
          .pointer(out)
          .pointer(kept + at.lse())
          .f32(scale);
      // 128 queries, two stages of 64 keys and values, two tables of slots, the list of tiles
      int bytes = (128 + 2 * 128) * shape.headDim() * 2 + 2 * 64 * 4 + 2 * at.tiles();
      launch(attention, at.items(), at.parts(), THREADS, bytes, args);
      if (at.parts() > 1) {
        launch(
            merge,
            grid.queries(),
            heads,
            shape.headDim(),
            0,
            merge
                .args()
                .pointer(spanAddress())
                .pointer(shared)
                .i32(at.parts())
                .pointer(shared + at.partial())
                .pointer(shared + at.sums())
                .pointer(out)
                .pointer(kept + at.lse()));
      }
    }
  }
}
