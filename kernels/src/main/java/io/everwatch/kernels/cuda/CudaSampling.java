// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.CounterRandom;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.SamplingRules;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Launches {@code sampling.cu}: one token of each row of logits whose draw came with the batch. The
 * random numbers are those of {@link CounterRandom}, drawn on the host and sent with the tables, so
 * that there is one generator. Shapes: R outputs, V width of the vocabulary.
 *
 * <p>One thread at a time, that of the stream.
 */
final class CudaSampling implements AutoCloseable {
  /** Width of the largest vocabulary: MOST_TILES * TILE of the kernel. */
  static final int MOST_IDS = 1 << 19;

  private static final int SLICE = 4096;
  private static final int SLICE_PART_BYTES = 40;
  private static final int SCORE_BLOCK = 256;
  private static final int CHOOSE_BLOCK = 1024;

  private final CudaStream stream;
  private final UploadRing ring;
  private final Kernel scores;
  private final Kernel choose;
  private final CudaEvent done;
  private final Deque<SeenSets> seen = new ArrayDeque<>(); // widest last
  private final SparseTotals sparse = new SparseTotals();
  private @Nullable Results results;
  private int draws; // of the batch begun last

  /** Where the kernels leave what they found. */
  private record Results(int rows, int slices, DeviceMemory device, PinnedBuffer host)
      implements AutoCloseable {
    static Results allocate(CudaDevice device, int rows, int slices) {
      long bytes =
          Slab.padded(SparseTotals.BYTES + 4L * rows) + (long) SLICE_PART_BYTES * rows * slices;
      DeviceMemory memory = DeviceMemory.allocate(device, bytes, "sampling");
      try {
        return new Results(
            rows,
            slices,
            memory,
            PinnedBuffer.allocate(device, SparseTotals.BYTES + 4 * rows, "chosen tokens"));
      } catch (RuntimeException e) {
        try (memory) {
          throw e;
        }
      }
    }

    /** The pool's counts of sparse prefill, and behind them the tokens. */
    long counts() {
      return device.address();
    }

    long tokens() {
      return counts() + SparseTotals.BYTES;
    }

    long parts() {
      return counts() + Slab.padded(SparseTotals.BYTES + 4L * rows);
    }

    @Override
    public void close() {
      try (device;
          host) {
        // Closed both, whatever one of them does.
      }
    }
  }

  /**
   * @param ring for ids that count as said from the beginning
   */
  CudaSampling(CudaStream stream, UploadRing ring) {
    this.stream = stream;
    this.ring = ring;
    KernelModule module = KernelModule.load(stream.device(), "sampling");
    scores = module.kernel("sampling_scores");
    choose = module.kernel("sampling_choose");
    done = CudaEvent.open(stream.device());
  }

  /** What sparse prefill did up to the last {@link #sample}. */
  SparseTotals sparseTotals() {
    return sparse;
  }

  /** See {@link io.everwatch.kernels.Backend#vocabulary}. */
  CudaVocabulary vocabulary(int width, BitSet drawable) {
    CudaVocabulary vocabulary = CudaVocabulary.of(stream.device(), width, drawable);
    if (seen.isEmpty() || seen.getLast().width() < width) {
      seen.add(
          new SeenSets(stream, ring, width)); // open contexts keep their sets of the one before
    }
    return vocabulary;
  }

  /**
   * Writes how tokens are chosen into the tables of a pass, and sees that its contexts have their
   * sets of ids seen. Called after the tables were filled in and before {@link StepTables#upload}.
   *
   * @param rules one per output; empty when nothing will be sampled
   */
  void begin(StepTables tables, List<Draw> rules) {
    draws = rules.size();
    if (rules.isEmpty()) {
      return;
    }
    if (draws != tables.liveOutputs()) {
      throw new IllegalArgumentException(
          "batch: %d draws for %d rows whose logits are wanted; expected one for each, or none"
              .formatted(draws, tables.liveOutputs()));
    }
    SeenSets sets = seen.peekLast();
    if (sets == null) {
      throw new IllegalStateException(
          "batch: draws before any vocabulary was made; expected it first");
    }
    for (int i = 0; i < tables.contexts().size(); i++) {
      CudaContext context = tables.contexts().get(i);
      SeenSet set = context.seenSet();
      if (set == null) {
        set = sets.take();
        tables.seenSet(i, set);
      }
      int[] ids = context.takeSeen();
      if (ids != null) {
        sets.replace(set, ids);
      }
    }
    for (int i = 0; i < draws; i++) {
      write(rules.get(i), tables.draw(i));
    }
  }

  /** As StepDraw of the kernel. */
  private static void write(Draw draw, ByteBuffer to) {
    SamplingRules rules = draw.rules();
    to.putFloat(rules.repetitionPenalty())
        .putFloat(rules.temperature())
        .putInt(rules.topK())
        .putFloat(rules.topP())
        .putDouble(
            rules.greedy() ? 0 : CounterRandom.uniform(draw.seed(), draw.round(), draw.token()));
  }

  /**
   * See {@link io.everwatch.kernels.Backend#sample}.
   *
   * @param logits address of [R, V] f32; overwritten
   */
  int[] sample(long logits, CudaVocabulary vocabulary, StepTables tables) {
    launch(logits, vocabulary, tables, 0);
    int[] tokens = new int[tables.liveOutputs()];
    if (tokens.length > 0) {
      Results own = results(tables, vocabulary);
      stream.download(own.counts(), own.host(), 0, SparseTotals.BYTES + 4L * tokens.length);
      done.record(stream);
      done.await();
      ByteBuffer arrived = own.host().bytes();
      sparse.arrived(tables.pool(), arrived);
      arrived.asIntBuffer().get(SparseTotals.BYTES / Integer.BYTES, tokens);
    }
    return tokens;
  }

  /**
   * Launches without waiting.
   *
   * @param probabilities 0, or for tests the address of [R, V] f32: what each random choice was
   *     made from
   */
  void launch(long logits, CudaVocabulary vocabulary, StepTables tables, long probabilities) {
    int rows = tables.liveOutputs();
    if (draws != rows) {
      throw new IllegalArgumentException(
          "sample: the batch of %d outputs has %d draws; expected one for each; give them when the batch is made"
              .formatted(rows, draws));
    }
    for (CudaContext context : tables.contexts()) {
      SeenSet set = context.seenSet();
      if (set != null && set.width() < vocabulary.width()) {
        throw new IllegalArgumentException(
            "sample: a context of a vocabulary of %d ids, but a row has %d logits; make the vocabulary before the contexts' first batch"
                .formatted(set.width(), vocabulary.width()));
      }
    }
    if (rows == 0) {
      return;
    }
    Results own = results(tables, vocabulary);
    int slices = Launches.ceil(vocabulary.limit(), SLICE);
    scores.launch(
        stream,
        slices,
        rows,
        1,
        SCORE_BLOCK,
        0,
        scores
            .args()
            .pointer(logits)
            .pointer(vocabulary.address())
            .i32(vocabulary.width())
            .i32(vocabulary.limit())
            .pointer(tables.headerAddress())
            .pointer(tables.isDecode() ? tables.idsAddress() : 0)
            .pointer(tables.spanOfAddress())
            .pointer(tables.outputRowsAddress())
            .pointer(tables.spansAddress())
            .pointer(tables.drawsAddress())
            .pointer(own.parts()));
    choose.launch(
        stream,
        rows,
        1,
        1,
        CHOOSE_BLOCK,
        0,
        choose
            .args()
            .pointer(logits)
            .i32(vocabulary.width())
            .i32(vocabulary.limit())
            .pointer(tables.headerAddress())
            .pointer(tables.drawsAddress())
            .pointer(own.parts())
            .i32(slices)
            .pointer(own.tokens())
            .pointer(probabilities)
            .pointer(tables.pool().sparseTotalsAddress())
            .pointer(own.counts()));
  }

  private Results results(StepTables tables, CudaVocabulary vocabulary) {
    int rows = tables.outputs();
    int slices = Launches.ceil(vocabulary.limit(), SLICE);
    Results own = results;
    if (own == null || own.rows() < rows || own.slices() < slices) {
      if (own != null) {
        results = null;
        stream.synchronize();
        own.close();
      }
      own = Results.allocate(stream.device(), rows, slices);
      results = own;
    }
    return own;
  }

  @Override
  public void close() {
    try (done;
        Results own = results) {
      results = null;
      seen.forEach(SeenSets::close);
    }
  }
}
