// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * Launches {@code sparse_probe.cu}, {@code sparse_select.cu} and {@code sparse_attention.cu} for
 * one pool, on its stream: each query head of a span chooses key blocks and attends to them (Lai et
 * al., FlexPrefill, ICLR 2025). A dozen launches a layer and span, of lengths that the host knows;
 * nothing comes back to it but the counts, with the tokens of the next sampling. Shapes: n rows of
 * the span, N of its context, H heads, K KV heads, D head dim, B block, nb key blocks, R row
 * blocks.
 */
final class CudaSparsePrefill implements AutoCloseable {
  private static final double LOG2_E = 1 / Math.log(2);
  private static final double ONE = 0x1p40; // of running totals
  private static final int THREADS = 128;
  private static final int SELECT_THREADS = 512;
  private static final int BINS_BYTES = 24792; // Bins of sparse_select.cu
  private static final int SHARE_BYTES = 128 * 72 * 4; // shares of a tile, sparse_probe.cu

  private final CudaRowPool pool;
  private final KvShape shape;
  private final boolean plain;
  private final float scale; // of scores, in units of log2
  private final SparseScratch scratch;
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
  private int layers; // attended since the last batch was made

  CudaSparsePrefill(CudaRowPool pool) {
    this.pool = pool;
    this.shape = pool.shape();
    this.plain = pool.dtype() == DType.F32;
    this.scale = (float) (LOG2_E / Math.sqrt(shape.headDim()));
    this.scratch = new SparseScratch(pool.stream());
    String type = plain ? "_f32" : "_bf16";
    String form = plain ? type : type + "_" + shape.headDim();
    KernelModule probe = KernelModule.load(pool.device(), "sparse_probe");
    poolKeys = probe.kernel("sparse_pool_keys" + type);
    poolQueries = probe.kernel("sparse_pool_queries" + type);
    stats = probe.kernel("sparse_stats" + form);
    mergeStats = probe.kernel("sparse_merge_stats");
    sums = probe.kernel("sparse_sums" + form);
    distances = probe.kernel("sparse_distances");
    KernelModule select = KernelModule.load(pool.device(), "sparse_select");
    decide = select.kernel("sparse_decide");
    map = select.kernel("sparse_map");
    cut = select.kernel("sparse_cut");
    rows = select.kernel("sparse_rows");
    order = select.kernel("sparse_order");
    KernelModule attend = KernelModule.load(pool.device(), "sparse_attention");
    merge = attend.kernel("sparse_attention_merge");
    attention =
        (plain ? KernelModule.load(pool.device(), "attention_plain") : attend)
            .kernel("sparse_attention" + form);
  }

  /** What of it decides the bits of a result, for the numerics identity. */
  static String numerics() {
    return "sparse 64 keys at a time, up to 16 parts of a row by its length and choice";
  }

  /** See {@link io.everwatch.kernels.Backend#sparseSpace}. */
  static long bytesFor(SparseLayout layout) {
    return layout.sharedBytes() + layout.keptBytes();
  }

  /**
   * Finds the spans of a batch that are not dense, checks them and sees to the room that they take,
   * before anything of the batch is launched.
   *
   * @throws IllegalArgumentException for more key blocks than there may be, or masks that do not
   *     fit
   * @throws io.everwatch.kernels.DeviceException of class REFUSED when memory is short
   */
  List<SparseSpan> prepare(List<Span> spans) {
    List<SparseLayout> layouts = new ArrayList<>();
    for (Span span : spans) {
      BlockSelector selector = span.sparse();
      if (selector != null) {
        layouts.add(layout(span, selector));
      }
    }
    long kept = layouts.stream().mapToLong(SparseLayout::sharedBytes).max().orElse(0);
    int maskAt = 0;
    List<SparseSpan> sparse = new ArrayList<>();
    for (int i = 0; i < spans.size(); i++) {
      BlockSelector selector = spans.get(i).sparse();
      if (selector != null) {
        SparseLayout layout = layouts.get(sparse.size());
        sparse.add(new SparseSpan(i, selector, layout, kept, maskAt));
        kept += layout.keptBytes();
        maskAt += sparse.get(sparse.size() - 1).maskInts();
      }
    }
    if (!sparse.isEmpty()) {
      scratch.require(kept);
    }
    layers = 0;
    return sparse;
  }

  private SparseLayout layout(Span span, BlockSelector selector) {
    BlockGrid grid = BlockGrid.of(span, selector);
    if (selector instanceof ChosenBlocks chosen) {
      chosen.check(grid, shape.heads());
    }
    return SparseLayout.of(shape, grid, pool.dtype());
  }

  /** Chooses and attends for one span; the layer's new rows were appended before. */
  void attend(int layer, long qkv, StepTables tables, SparseSpan span, long out) {
    Pass pass = new Pass(layer, qkv, tables, span);
    if (span.selector() instanceof FlexPrefill flex) {
      pass.probe();
      pass.select(flex);
    }
    pass.rows();
    pass.attend(out);
    layers++;
  }

  /** See {@link io.everwatch.kernels.Backend#selection}. */
  BlockSelection selection(StepTables tables, int index) {
    Span batched = tables.span(index);
    BlockSelector selector = batched.selector();
    if (selector == null) {
      throw new IllegalStateException(
          "selection: span %d has no selector; expected one to have chosen".formatted(index));
    }
    SparseResults results = new SparseResults(pool.stream());
    for (SparseSpan span : tables.sparseSpans()) {
      if (span.index() == index) {
        if (layers == 0) {
          throw new IllegalStateException(
              "selection: nothing of the batch was attended yet; call attend first");
        }
        return results.read(span, scratch.address() + span.kept(), mask(tables, span));
      }
    }
    return results.dense(BlockGrid.of(batched, selector), shape.heads());
  }

  private long mask(StepTables tables, SparseSpan span) {
    return span.selector() instanceof ChosenBlocks
        ? tables.masksAddress() + 4L * span.maskAt()
        : scratch.address() + span.kept() + span.layout().mask();
  }

  /** One layer of one span. */
  private final class Pass {
    private final int layer;
    private final long qkv;
    private final StepTables tables;
    private final SparseSpan span;
    private final SparseLayout at;
    private final BlockGrid grid;
    private final long shared = scratch.address();
    private final long kept;
    private final int heads = shape.heads();

    Pass(int layer, long qkv, StepTables tables, SparseSpan span) {
      this.layer = layer;
      this.qkv = qkv;
      this.tables = tables;
      this.span = span;
      this.at = span.layout();
      this.grid = at.grid();
      this.kept = shared + span.kept();
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
              .pointer(mask(tables, span))
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
              .pointer(mask(tables, span));
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

  @Override
  public void close() {
    scratch.close();
  }
}
