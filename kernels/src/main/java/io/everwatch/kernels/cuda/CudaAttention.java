// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;

/**
 * Launches {@code rope.cu}, {@code attention_decode.cu}, {@code attention_prefill.cu} and {@code
 * attention_plain.cu} for one pool, on its stream. Shapes: T rows of the batch, H heads, K KV
 * heads, D head dim, W = K * D.
 */
final class CudaAttention {
  private static final double LOG2_E = 1 / Math.log(2);
  private static final int ROTATE_BLOCK = 128;
  private static final int APPEND_BLOCK = 256;
  private static final int ATTEND_BLOCK = 128;
  private static final int DECODE_BLOCKS_PER_MULTIPROCESSOR = 2; // 108 KiB each at D = 128

  private final CudaRowPool pool;
  private final KvShape shape;
  private final boolean plain;
  private final float scale; // of scores, in units of log2
  private final Kernel table;
  private final Kernel append;
  private final Kernel rotate;
  private final Kernel decode;
  private final Kernel merge;
  private final Kernel largePrefill;
  private final Kernel smallPrefill;
  private final int decodeShared;

  CudaAttention(CudaRowPool pool) {
    this.pool = pool;
    this.shape = pool.shape();
    CudaDevice device = pool.device();
    plain = pool.dtype() == DType.F32;
    String type = plain ? "f32" : "bf16";
    int d = shape.headDim();
    scale = (float) (LOG2_E / Math.sqrt(d));
    KernelModule rope = KernelModule.load(device, "rope");
    table = rope.kernel("rope_table");
    append = rope.kernel("rope_append_" + type);
    rotate = rope.kernel("rope_rotate_" + type);
    merge = KernelModule.load(device, "attention_decode").kernel("attention_merge_" + type);
    if (plain) {
      KernelModule attention = KernelModule.load(device, "attention_plain");
      decode = attention.kernel("attention_decode_f32");
      largePrefill = attention.kernel("attention_prefill_f32");
      smallPrefill = largePrefill;
      decodeShared = 0;
    } else {
      boolean wide = shape.heads() / shape.kvHeads() > 8;
      decode =
          KernelModule.load(device, "attention_decode")
              .kernel("attention_decode_bf16_" + d + (wide ? "_wide" : ""));
      KernelModule prefill = KernelModule.load(device, "attention_prefill");
      largePrefill = prefill.kernel("attention_prefill_bf16_" + d + "_wide");
      smallPrefill = prefill.kernel("attention_prefill_bf16_" + d + "_narrow");
      // 4 warps of 3 stages of 16 rows of K and V; 3 warps' sums, 4 warps' maxima
      decodeShared = 4 * 3 * 16 * d * 4 + (wide ? 2 : 1) * (3 * d / 4 * 32 * 4 + 4 * 8 * 8);
    }
  }

  /** What of it decides the bits of a result, for the numerics identity. */
  static String numerics() {
    return "decode in pieces of %d rows, 4 x 16 rows in turn; prefill 64 rows at a time; %s"
        .formatted(StepTables.SPLIT_ROWS, CudaSparsePrefill.numerics());
  }

  /**
   * Begins a pass: brings its tables over, rotates what its contexts have loaded, computes the new
   * rows' angles. Everything of the pass comes after it on the pool's stream.
   */
  void begin(StepTables tables) {
    if (tables.isDecode() && tables.contexts().stream().anyMatch(c -> !c.loads().isEmpty())) {
      begin(pool.batches().loads(tables.contexts()));
      tables.contexts().forEach(CudaContext::loadsDone);
    }
    tables.upload();
    if (tables.loads() > 0) {
      rotateLoads(tables);
      tables.contexts().forEach(CudaContext::loadsDone);
    }
    if (tables.rows() > 0) {
      int pairs = shape.headDim() / 2;
      int[] sections = shape.mropeSections();
      table.launch(
          pool.stream(),
          tables.rows(),
          1,
          1,
          (pairs + 31) / 32 * 32,
          0,
          table
              .args()
              .pointer(tables.headerAddress())
              .pointer(tables.positionsAddress())
              .i32(tables.rows())
              .pointer(tables.slotsAddress())
              .pointer(tables.workRowsAddress())
              .pointer(pool.frequenciesAddress())
              .i32(pairs)
              .i32(sections[0])
              .i32(sections[1])
              .pointer(tables.factorsAddress())
              .pointer(pool.slotOfAddress()));
    }
  }

  private void rotateLoads(StepTables tables) {
    int[] sections = shape.mropeSections();
    long vectorPairs = pool.layerRowBytes() / 32; // a thread takes two vectors of 16 bytes
    long threads = tables.loads() * vectorPairs;
    rotate.launch(
        pool.stream(),
        Math.toIntExact((threads + ROTATE_BLOCK - 1) / ROTATE_BLOCK),
        1,
        1,
        ROTATE_BLOCK,
        0,
        rotate
            .args()
            .pointer(tables.headerAddress())
            .pointer(tables.loadPositionsAddress())
            .i32(tables.loads())
            .pointer(tables.loadSlotsAddress())
            .pointer(tables.loadWorkRowsAddress())
            .pointer(pool.frequenciesAddress())
            .i32(sections[0])
            .i32(sections[1])
            .pointer(pool.keysAddress(0))
            .i64(pool.slots())
            .pointer(pool.workAddress(0))
            .i64(pool.workRows())
            .i32(shape.layers())
            .i32(shape.kvHeads())
            .i32(shape.headDim())
            .pointer(pool.slotOfAddress()));
  }

  /**
   * See {@link io.everwatch.kernels.Backend#attend}. A decode batch may be recorded: all arguments
   * are the same for every batch of the same tables.
   *
   * @param qkv address of {@code [T, (H + 2 K) * D]} of the pool's type; Q is rotated in place
   * @param out address of {@code [T, H * D]} of the pool's type; rows beyond the live ones are left
   *     alone
   */
  void attend(int layer, long qkv, StepTables tables, long out) {
    if (layer < 0 || layer >= shape.layers()) {
      throw new IllegalArgumentException(
          "attend: layer %d; expected 0 to %d".formatted(layer, shape.layers() - 1));
    }
    append(layer, qkv, tables);
    if (tables.isDecode()) {
      decode(layer, qkv, tables, out);
    } else {
      int sparse = tables.sparseSpans().size();
      if (sparse < tables.contexts().size()) {
        prefill(layer, qkv, tables, out);
      }
      for (SparseSpan span : tables.sparseSpans()) {
        pool.sparse().attend(layer, qkv, tables, span, out);
      }
    }
  }

  private void append(int layer, long qkv, StepTables tables) {
    append.launch(
        pool.stream(),
        tables.rows(),
        1,
        1,
        APPEND_BLOCK,
        0,
        append
            .args()
            .pointer(qkv)
            .pointer(tables.headerAddress())
            .pointer(tables.slotsAddress())
            .pointer(tables.workRowsAddress())
            .pointer(tables.factorsAddress())
            .pointer(pool.keysAddress(layer))
            .pointer(pool.valuesAddress(layer))
            .pointer(pool.workAddress(layer))
            .i32(shape.heads())
            .i32(shape.kvHeads())
            .i32(shape.headDim()));
  }

  private void decode(int layer, long qkv, StepTables tables, long out) {
    Args args =
        context(decode.args(), layer, qkv)
            .pointer(tables.headerAddress())
            .pointer(tables.spansAddress())
            .pointer(tables.itemsAddress())
            .pointer(tables.blocksAddress())
            .pointer(pool.partialAddress())
            .pointer(pool.sumsAddress())
            .i32(shape.heads())
            .i32(shape.kvHeads());
    if (plain) {
      args.i32(shape.headDim());
    }
    decode.launch(
        pool.stream(),
        pool.device().multiprocessors() * DECODE_BLOCKS_PER_MULTIPROCESSOR,
        1,
        1,
        ATTEND_BLOCK,
        decodeShared,
        args.f32(scale));
    merge.launch(
        pool.stream(),
        tables.rows(),
        shape.heads(),
        1,
        shape.headDim(),
        0,
        merge
            .args()
            .pointer(tables.headerAddress())
            .pointer(tables.spansAddress())
            .pointer(pool.partialAddress())
            .pointer(pool.sumsAddress())
            .pointer(out));
  }

  private void prefill(int layer, long qkv, StepTables tables, long out) {
    boolean large = tables.tileQueries() == StepBatches.LARGE_TILE;
    Kernel kernel = large ? largePrefill : smallPrefill;
    Args args = context(kernel.args(), layer, qkv).pointer(tables.spansAddress());
    if (plain) {
      kernel.launch(
          pool.stream(),
          tables.rows(),
          shape.heads(),
          1,
          ATTEND_BLOCK,
          0,
          args.pointer(tables.spanOfAddress())
              .pointer(tables.blocksAddress())
              .pointer(out)
              .i32(shape.heads())
              .i32(shape.kvHeads())
              .i32(shape.headDim())
              .f32(scale));
      return;
    }
    kernel.launch(
        pool.stream(),
        tables.items(),
        shape.kvHeads(),
        1,
        ATTEND_BLOCK,
        prefillShared(large),
        args.pointer(tables.itemsAddress())
            .pointer(tables.blocksAddress())
            .pointer(out)
            .i32(shape.heads())
            .i32(shape.kvHeads())
            .f32(scale));
  }

  /** The queries, two or three stages of 64 rows of K and V, two tables of 64 slots. */
  private int prefillShared(boolean large) {
    int rows = large ? StepBatches.LARGE_TILE + 2 * 128 : StepBatches.SMALL_TILE + 3 * 128;
    return rows * shape.headDim() * 2 + 2 * 64 * 4;
  }

  /** The four arguments with which all forms of attention begin. */
  private Args context(Args args, int layer, long qkv) {
    return args.pointer(qkv)
        .pointer(pool.workAddress(layer))
        .pointer(pool.valuesAddress(layer))
        .pointer(pool.slotOfAddress());
  }
}
