// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.DeviceCounters;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.kernels.StepSpace;
import io.everwatch.kernels.Vocabulary;
import io.everwatch.operators.model.Decoder;
import io.everwatch.operators.model.VisionTower;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Qwen2.5-VL on a back end: tower and decoder over the rows of a step. */
final class ModelNetwork implements Network {
  /** Rows; a stream with more takes what happens to be free. */
  private static final int LONG_CONTEXT = 1 << 17;

  private final Backend backend;
  private final Decoder decoder;
  private final Vocabulary vocabulary;
  private final VisionStep vision;
  private final Arena arena;
  private final End end;
  private final RowPool rows;
  private @Nullable Batch batch;
  private @Nullable DeviceBuffer rowsOnly; // [T, C]: of a prefill that draws nothing
  private @Nullable DeviceBuffer logits; // [streams, V]

  /** Takes back end and weights back, once. */
  interface End {
    /**
     * The network has given up all that it had on the back end.
     *
     * @param intact whether another network may be put on it
     */
    void ended(boolean intact);
  }

  /**
   * @param drawable ids that may be drawn
   * @param limits what is made room for at once, so that no later step fails for want of it
   * @param end hears of the end; not when this throws
   */
  ModelNetwork(
      Backend backend,
      VisionTower tower,
      Decoder decoder,
      BitSet drawable,
      NetworkLimits limits,
      End end) {
    this.backend = backend;
    this.end = end;
    this.decoder = decoder;
    this.vocabulary = backend.vocabulary(decoder.vocabSize(), drawable);
    this.vision = new VisionStep(backend, tower, decoder, limits);
    this.arena = backend.arena();
    arena.reset(decoder.space(limits.batchRows(), limits.batchRounds()));
    try (Arena later = backend.arena()) {
      later.reset(sparseSpace(backend, decoder.kvShape(), limits)); // for whom it is free again
      this.rows = rows(backend, decoder, limits.kvBytes()); // last: it may take all that is left
    }
  }

  /** What choosing blocks takes beside, at the longest contexts that are worth planning for. */
  private static StepSpace sparseSpace(Backend backend, KvShape shape, NetworkLimits limits) {
    FlexPrefill sparse = limits.sparse();
    if (sparse == null) {
      return StepSpace.NONE;
    }
    int keys = Math.max(LONG_CONTEXT, limits.batchRows());
    long bytes = backend.sparseSpace(shape, limits.batchRows(), keys, sparse);
    return new StepSpace(0, bytes / Float.BYTES, 0, 1);
  }

  private static RowPool rows(Backend backend, Decoder decoder, long bytes) {
    int slots = backend.slots(decoder.kvShape(), bytes);
    if (slots < 1) {
      String need =
          "there is no room for cached rows: one takes %,d bytes, and "
              .formatted(decoder.kvShape().rowElements() * backend.dtype().sizeBytes());
      if (bytes == 0) {
        throw new DeviceException(
            Failure.REFUSED,
            need
                + backend
                    .space()
                    .map(s -> "%,d of %,d are free".formatted(s.free(), s.total()))
                    .orElse("the back end gives none")
                + "; expected room for the rows of a stream at least; take a device with more memory or a smaller model, or end what else is on the device");
      }
      throw new IllegalArgumentException(
          need
              + "engine.kv-memory is %,d; expected room for the rows of a stream at least; raise it"
                  .formatted(bytes));
    }
    return backend.rowPool(decoder.kvShape(), slots);
  }

  @Override
  public RowPool rows() {
    return rows;
  }

  @Override
  public Context context() {
    return backend.context(rows);
  }

  @Override
  public DeviceCounters counters() {
    return backend.counters();
  }

  @Override
  public SparseCounters sparseCounters() {
    return backend.sparseCounters();
  }

  @Override
  public int vocabulary() {
    return decoder.vocabSize();
  }

  @Override
  public void begin() {
    batch = null;
    rowsOnly = null;
    logits = null;
    vision.begin();
    arena.reset();
  }

  @Override
  public void vision(List<VisionRows> wanted) {
    vision.encode(wanted);
  }

  @Override
  public void prefill(List<Prompt> prompts, List<Draw> draws) {
    int tokens = prompts.stream().mapToInt(prompt -> prompt.ids().length).sum();
    int[] ids = new int[tokens];
    int[] pads = new int[prompts.stream().mapToInt(Prompt::padRows).sum()]; // in order of prompts
    int[] last = new int[draws.size()];
    List<Span> spans = new ArrayList<>(prompts.size());
    int row = 0;
    int pad = 0;
    int ending = 0;
    for (Prompt prompt : prompts) {
      int count = prompt.ids().length;
      System.arraycopy(prompt.ids(), 0, ids, row, count);
      for (Pads of : prompt.pads()) {
        for (int n = 0; n < of.count(); n++) {
          pads[pad++] = row + of.from() + n;
        }
      }
      spans.add(new Span(prompt.context(), row, count, prompt.selector()));
      row += count;
      if (prompt.ends()) {
        last[ending++] = row - 1;
      }
    }
    Batch made = backend.prefillBatch(spans, ids, last, draws);
    batch = made;
    arena.reset(
        decoder
            .space(made.rows(), made.outputs())
            .plus(new StepSpace(0, 0, 0, vision.copies()))); // each has a table of its own
    DeviceBuffer x = decoder.embed(made, arena); // [T, C]
    vision.place(pads, x);
    DeviceBuffer y = decoder.forward(x, made, arena);
    if (last.length == 0) {
      rowsOnly = y;
    } else {
      logits = decoder.logits(y, made, arena);
    }
  }

  @Override
  public void decode(List<Context> contexts, int[] ids, List<Draw> draws) {
    Batch made = backend.decodeBatch(contexts, ids, draws);
    batch = made;
    logits = decoder.decode(made);
  }

  @Override
  public int[] sample() {
    if (rowsOnly != null) {
      backend.download(rowsOnly, 0, new float[1], 0, 1); // which waits
      return new int[0];
    }
    return backend.sample(
        require(logits, "prefill or decode"), vocabulary, require(batch, "prefill or decode"));
  }

  @Override
  public void logits(int index, float[] to) {
    long from = (long) index * decoder.vocabSize();
    backend.download(require(logits, "prefill or decode"), from, to, 0, to.length);
  }

  private static <T> T require(@Nullable T value, String before) {
    if (value == null) {
      throw new IllegalStateException("expected " + before + " earlier in this step");
    }
    return value;
  }

  @Override
  public void close() {
    release(true);
  }

  @Override
  public void abandon() {
    release(false);
  }

  private void release(boolean intact) {
    batch = null;
    rowsOnly = null;
    logits = null;
    boolean reusable = false;
    try {
      closeAll();
      reusable = intact;
    } finally {
      end.ended(reusable);
    }
  }

  private void closeAll() {
    try (vocabulary;
        rows;
        arena;
        vision) {
      // Closed in the reverse order, each whatever the others do.
    }
  }
}
