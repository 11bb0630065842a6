// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.cuda.CudaGraphs.Recording;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * The tables of a pass: written into page-locked memory, brought over by one copy to a fixed place
 * on the device, read there by every kernel whose work changes from step to step. One object serves
 * pass after pass; a pass must be over, or ordered before on the same stream, when the next is
 * filled in.
 *
 * <p>Those of a decode bucket never move, and all addresses before {@link #itemsAddress} depend on
 * the bucket alone: a recorded pass is right for whatever is filled in later. It is recorded per
 * {@code StepTables} object, which stands for pool and bucket.
 */
final class StepTables implements Batch, AutoCloseable {
  /** Rows of a piece of decode attention; SPLIT_ROWS of step.cuh. */
  static final int SPLIT_ROWS = 256;

  /** Rows of a block of the working copy; WORK_BLOCK_ROWS of step.cuh. */
  static final int WORK_BLOCK_ROWS = 64;

  private static final double SPARE = 0.25; // of a prefill's tables, so that they seldom grow

  private final CudaRowPool pool;
  private final boolean decode;
  private final StepBlock block;
  private final StepWriter writer;
  private StepLayout layout = new StepLayout(0, 0, 0);
  private final List<CudaContext> contexts = new ArrayList<>(); // of the spans
  private List<Span> spans = List.of(); // of a prefill
  private List<SparseSpan> sparse = List.of();
  private int liveRows;
  private int liveOutputs;
  private boolean everyRow;
  private int tileQueries; // prefill: queries of one work item
  private int idLimit = Integer.MAX_VALUE;
  private String idTable = "";
  private final IdentityHashMap<Object, Recording> recordings = new IdentityHashMap<>();

  /** Tables of prefill passes; they grow as needed. */
  static StepTables forPrefill(CudaRowPool pool) {
    return new StepTables(pool, false);
  }

  /**
   * Tables of decode passes over up to {@code bucket} rows.
   *
   * @throws io.everwatch.kernels.DeviceException of class REFUSED when memory is short
   */
  static StepTables forDecode(CudaRowPool pool, int bucket) {
    StepTables tables = new StepTables(pool, true);
    tables.layout = new StepLayout(bucket, bucket, bucket);
    return tables;
  }

  private StepTables(CudaRowPool pool, boolean decode) {
    this.pool = pool;
    this.decode = decode;
    this.block = new StepBlock(pool.stream());
    this.writer = new StepWriter(block);
  }

  /** Fewest rows that a recorded pass of {@code rows} runs over: 1, 2, 4 ... 64, 128, 192 ... */
  static int bucket(int rows) {
    return rows <= 64 ? Integer.highestOneBit(Math.max(1, 2 * rows - 1)) : (rows + 63) / 64 * 64;
  }

  // --- what kernels and launchers ask for ---

  @Override
  public int rows() {
    return layout.rows();
  }

  @Override
  public int outputs() {
    return layout.outputs();
  }

  @Override
  public boolean everyRow() {
    return everyRow;
  }

  CudaRowPool pool() {
    return pool;
  }

  /** Whether the rows take the operations' forms for decoding. */
  boolean isDecode() {
    return decode;
  }

  /** Rows that exist; those from here up to {@link #rows} do not. */
  int liveRows() {
    return liveRows;
  }

  /** Rows whose logits are wanted; those from here up to {@link #outputs} are not. */
  int liveOutputs() {
    return liveOutputs;
  }

  /** The spans' contexts, in order. */
  List<CudaContext> contexts() {
    return contexts;
  }

  int items() {
    return writer.items();
  }

  /** A prefill's span. */
  Span span(int index) {
    if (index < 0 || index >= spans.size()) {
      throw new IllegalArgumentException(
          "batch: span %d; it has %d spans that may choose".formatted(index, spans.size()));
    }
    return spans.get(index);
  }

  /** Those of its spans that are attended over chosen blocks, and not as work items. */
  List<SparseSpan> sparseSpans() {
    return sparse;
  }

  /** Prefill: queries, (row, head of a group) pairs, of one work item. */
  int tileQueries() {
    return tileQueries;
  }

  /** Rows to be rotated into the working copy first. */
  int loads() {
    return writer.loads();
  }

  /**
   * The ids of this pass, and of all for which it is repeated, are rows of an embedding table.
   *
   * @throws IllegalArgumentException if one is outside
   */
  void limitIds(int rows, String table) {
    idLimit = rows;
    idTable = table;
    checkIds();
  }

  /** Throws if an id is outside the table that {@link #limitIds} named. */
  void checkIds() {
    if (writer.smallestId() < 0 || writer.largestId() >= idLimit) {
      throw new IllegalArgumentException(
          "embed: ids from %d to %d, but table %s has %d rows; were the ids made by the tokenizer"
                  .formatted(writer.smallestId(), writer.largestId(), idTable, idLimit)
              + " of this model?");
    }
  }

  long headerAddress() {
    return address(0);
  }

  long idsAddress() {
    return address(layout.ids());
  }

  long positionsAddress() {
    return address(layout.positions());
  }

  long slotsAddress() {
    return address(layout.slots());
  }

  long workRowsAddress() {
    return address(layout.workRows());
  }

  long spanOfAddress() {
    return address(layout.spanOf());
  }

  long outputRowsAddress() {
    return address(layout.outputRows());
  }

  /** [outputs][{@link StepLayout#DRAW_BYTES}]. */
  long drawsAddress() {
    return address(layout.draws());
  }

  long spansAddress() {
    return address(layout.spanTable());
  }

  long itemsAddress() {
    return address(layout.tail());
  }

  /** What the spans' block lists count from: the beginning of the items, too. */
  long blocksAddress() {
    return itemsAddress();
  }

  long loadSlotsAddress() {
    return address(layout.tail() + 4 * writer.loadsAt());
  }

  long loadWorkRowsAddress() {
    return loadSlotsAddress() + 4L * loads();
  }

  long loadPositionsAddress() {
    return loadSlotsAddress() + 8L * loads();
  }

  /** int []: masks that were given with selectors. */
  long masksAddress() {
    return loadSlotsAddress() + 4L * StepWriter.LOAD_INTS * loads();
  }

  /** float2 [rows][D/2], cosines and sines of the rows; not copied but computed there. */
  long factorsAddress() {
    return block.computedAddress();
  }

  /** Where sampling writes how output {@code i}'s token is chosen, before {@link #upload}. */
  ByteBuffer draw(int i) {
    return block
        .bytes()
        .slice(layout.draws() + i * StepLayout.DRAW_BYTES, StepLayout.DRAW_BYTES)
        .order(block.bytes().order());
  }

  /** The context of span {@code i} has a set of ids seen now; before {@link #upload}. */
  void seenSet(int i, SeenSet set) {
    contexts.get(i).seenSet(set);
    writer.seenAddress(i, set.address());
  }

  private long address(int at) {
    return block.address() + at;
  }

  // --- filling in ---

  /** One row of each context, its last. The caller has checked all of it. */
  void fillDecode(List<CudaContext> of, int[] ids) {
    int pieces = 0;
    for (CudaContext context : of) {
      pieces += pieces(context);
    }
    // A context of n blocks has at most n pieces, and no block belongs to two.
    begin((StepLayout.ITEM_INTS + 1) * pool.workBlocks().total(), 0, of, pieces);
    liveRows = ids.length;
    liveOutputs = ids.length;
    everyRow = true;
    for (int i = 0; i < liveRows; i++) {
      CudaContext context = of.get(i);
      writer.output(i, i);
      writer.row(i, ids[i], i, context, context.rows() - 1);
      writer.span(i, i, 1, context, pieces(context));
    }
    for (int i = liveRows; i < layout.rows(); i++) {
      writer.output(i, i);
      writer.noRow(i);
    }
    writer.header(liveRows, liveOutputs, of.size());
  }

  private static int pieces(CudaContext context) {
    return (context.rows() + SPLIT_ROWS - 1) / SPLIT_ROWS;
  }

  /**
   * The last rows of each span's context. The caller has checked all of it.
   *
   * @param queriesPerRow query heads of one KV head
   * @param tile queries of one work item
   * @param loading contexts whose loaded rows are rotated first
   * @param chosen those of the spans that have no work items, see {@link #sparseSpans}
   */
  void fillPrefill(
      List<Span> spans,
      int[] ids,
      int[] outputs,
      int queriesPerRow,
      int tile,
      List<CudaContext> loading,
      List<SparseSpan> chosen) {
    layout = new StepLayout(ids.length, spans.size(), outputs.length);
    List<CudaContext> of = new ArrayList<>(spans.size());
    int blocks = 0;
    int tiles = 0;
    for (Span span : spans) {
      CudaContext context = (CudaContext) span.context();
      of.add(context);
      blocks += context.blockCount();
      tiles += tiles(span, queriesPerRow, tile);
    }
    int masks = chosen.stream().mapToInt(SparseSpan::maskInts).sum();
    int rotated =
        loading.stream().flatMap(c -> c.loads().stream()).mapToInt(r -> r[1] - r[0]).sum();
    int tail = blocks + StepLayout.ITEM_INTS * tiles + StepWriter.LOAD_INTS * rotated + masks;
    begin(tail, SPARE, of, tiles);
    this.spans = List.copyOf(spans);
    sparse = chosen;
    tileQueries = tile;
    liveRows = ids.length;
    liveOutputs = outputs.length;
    everyRow = outputs.length == ids.length;
    for (int i = 0; i < outputs.length; i++) {
      everyRow &= outputs[i] == i;
      writer.output(i, outputs[i]);
    }
    for (int i = 0; i < of.size(); i++) {
      Span span = spans.get(i);
      CudaContext context = of.get(i);
      int first = context.rows() - span.count();
      for (int r = 0; r < span.count(); r++) {
        writer.row(span.first() + r, ids[span.first() + r], i, context, first + r);
      }
      writer.span(i, span.first(), span.count(), context, tiles(span, queriesPerRow, tile));
    }
    writer.loads(loading, rotated);
    writer.masks(chosen);
    writer.header(liveRows, liveOutputs, of.size());
  }

  /** Work items of a span; none for one that chooses its blocks. */
  static int tiles(Span span, int queriesPerRow, int tile) {
    return span.sparse() == null ? (span.count() * queriesPerRow + tile - 1) / tile : 0;
  }

  private void begin(int tail, double spare, List<CudaContext> of, int items) {
    long factors = (long) layout.rows() * pool.shape().headDim() / 2 * (2 * Float.BYTES);
    block.begin(layout.tail() + 4L * tail, factors, spare);
    writer.begin(layout, items);
    contexts.clear();
    contexts.addAll(of);
  }

  /** Brings the tables over, on the pool's stream; then they may be filled in again. */
  void upload() {
    block.upload(writer.bytes());
  }

  /** The recorded passes over these tables, by identity of what they compute. */
  IdentityHashMap<Object, Recording> recordings() {
    return recordings;
  }

  @Override
  public void close() {
    List<AutoCloseable> all = new ArrayList<>(recordings.values());
    recordings.clear();
    all.add(0, block);
    Closing.all(all);
  }
}
