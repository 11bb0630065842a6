// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Span;
import io.everwatch.operators.model.Decoder;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.SettingsResolver;
import io.everwatch.operators.model.TuningProfile;
import io.everwatch.operators.model.TuningProfile.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Measures a device for a {@link TuningProfile}: how many rows a pass of a long prefill should
 * have, and at which lengths attention over chosen blocks is faster than over all. Alone on the
 * device; times are the median of several runs, each waited for.
 */
public final class PrefillTuner {
  /** Pieces beyond this would keep the tokens of other streams waiting for too long. */
  private static final int LONGEST_PIECE = 8192;

  /** The shortest piece with this share of the best rate is taken. */
  private static final double GOOD_RATE = 0.95;

  private static final int SHORTEST = 64;

  private final Backend backend;
  private final Decoder decoder;
  private final FlexPrefill selector;
  private final Effort effort;
  private final Progress progress;

  /**
   * How much is measured.
   *
   * @param maxRows most keys; less where the device has not room for them
   * @param repetitions timed runs of each point
   */
  public record Effort(int maxRows, int repetitions) {
    public Effort {
      if (maxRows < 2 * PrefillSettings.ROWS || maxRows > 1 << 22 || repetitions < 1) {
        throw new IllegalArgumentException(
            "%d rows and %d repetitions; expected %d to %d rows and at least one repetition"
                .formatted(maxRows, repetitions, 2 * PrefillSettings.ROWS, 1 << 22));
      }
    }
  }

  /** Hears what was measured, as it comes. */
  public interface Progress {
    /** A prompt of so many rows was computed at this rate. */
    void piece(int rows, double rowsPerSecond);

    /** One layer's attention of so many new rows, the last of so many keys. */
    void attention(int queries, int keys, double denseMicros, double sparseMicros, double density);
  }

  private PrefillTuner(
      Backend backend, Decoder decoder, FlexPrefill selector, Effort effort, Progress progress) {
    this.backend = backend;
    this.decoder = decoder;
    this.selector = selector;
    this.effort = effort;
    this.progress = progress;
  }

  /**
   * Opens the device, loads the model, measures.
   *
   * @param options model, device, type and settings; nothing else of them matters
   */
  public static TuningProfile measure(EngineOptions options, Effort effort, Progress progress) {
    EngineOptions here =
        options.toBuilder().device(Backends.choose(options.device()).device()).build();
    ModelFolder folder = ModelFolder.open(here.model());
    try (LoadedModel loaded =
        LoadedModel.load(LoadedModel.Key.of(folder, here), folder, here.device())) {
      PrefillSettings settings =
          SettingsResolver.open(folder, loaded.model().config())
              .resolve(here.overrides())
              .settings()
              .prefill();
      return new PrefillTuner(
              loaded.backend(), loaded.model().decoder(), settings.selector(), effort, progress)
          .measure();
    }
  }

  private TuningProfile measure() {
    int piece = bestPiece();
    KvShape all = decoder.kvShape();
    KvShape layer =
        new KvShape(
            1, all.heads(), all.kvHeads(), all.headDim(), all.mropeSections(), all.ropeTheta());
    int rows = Math.min(effort.maxRows(), backend.slots(layer, 0));
    List<Integer> keys = powers(SHORTEST, rows);
    List<Integer> queries = powers(SHORTEST, Math.min(rows, LONGEST_PIECE));
    double[][] dense = new double[queries.size()][keys.size()];
    double[][] sparse = new double[queries.size()][keys.size()];
    double[][] density = new double[queries.size()][keys.size()];
    try (RowPool pool = backend.rowPool(layer, rows);
        Arena arena = backend.arena()) {
      StructuredRows content = new StructuredRows(layer);
      content.fill(pool);
      AttentionRun run = new AttentionRun(pool, arena, content);
      for (int j = 0; j < keys.size(); j++) {
        for (int i = 0; i < queries.size(); i++) {
          double[] cell = {Double.NaN, Double.NaN, Double.NaN};
          if (keys.get(j) >= queries.get(i)) {
            cell = run.measure(queries.get(i), keys.get(j));
            progress.attention(queries.get(i), keys.get(j), cell[0], cell[1], cell[2]);
          }
          dense[i][j] = cell[0];
          sparse[i][j] = cell[1];
          density[i][j] = cell[2];
        }
      }
    }
    Target target = Target.of(backend.numerics(), backend.dtype(), all);
    return new TuningProfile(target, piece, selector, queries, keys, dense, sparse, density);
  }

  private static List<Integer> powers(int from, int to) {
    List<Integer> powers = new ArrayList<>();
    for (int rows = from; rows <= to; rows *= 2) {
      powers.add(rows);
    }
    return powers;
  }

  private double median(LongSupplier run) {
    double[] micros = new double[1 + effort.repetitions()];
    Arrays.setAll(micros, i -> run.getAsLong() / 1e3);
    Arrays.sort(micros, 1, micros.length); // the first is to get warm
    return Math.max(1e-3, micros[1 + effort.repetitions() / 2]);
  }

  // --- pieces ---

  private int bestPiece() {
    KvShape shape = decoder.kvShape();
    int most = Math.min(LONGEST_PIECE, Math.min(effort.maxRows(), backend.slots(shape, 0)));
    List<Integer> pieces = powers(PrefillSettings.ROWS, most);
    double[] rates = new double[pieces.size()];
    try (RowPool pool = backend.rowPool(shape, pieces.get(pieces.size() - 1));
        Arena arena = backend.arena()) {
      for (int i = 0; i < rates.length; i++) {
        int rows = pieces.get(i);
        rates[i] = rows / median(() -> prompt(pool, arena, rows)) * 1e6;
        progress.piece(rows, rates[i]);
      }
    }
    double best = Arrays.stream(rates).max().orElseThrow();
    int at = 0;
    while (rates[at] < GOOD_RATE * best) {
      at++;
    }
    return pieces.get(at);
  }

  /** Nanoseconds of a whole pass over a prompt without context. */
  private long prompt(RowPool pool, Arena arena, int rows) {
    try (Context context = backend.context(pool)) {
      context.extend(StructuredRows.slots(0, rows), StructuredRows.positions(0, rows));
      Batch batch =
          backend.prefillBatch(
              List.of(new Span(context, 0, rows)), new int[rows], new int[0], List.of());
      arena.reset(decoder.space(batch.rows(), 0));
      long start = System.nanoTime();
      finish(decoder.forward(decoder.embed(batch, arena), batch, arena));
      return System.nanoTime() - start;
    }
  }

  private void finish(DeviceBuffer last) {
    backend.download(last, 0, new float[1], 0, 1); // which waits
  }

  // --- attention ---

  /** One layer's attention on rows that lie in the pool. */
  private final class AttentionRun {
    private final RowPool pool;
    private final Arena arena;
    private final StructuredRows content;

    AttentionRun(RowPool pool, Arena arena, StructuredRows content) {
      this.pool = pool;
      this.arena = arena;
      this.content = content;
    }

    /** Dense and sparse microseconds, and the density. */
    double[] measure(int queries, int keys) {
      float[] fresh = content.projections(keys - queries, keys);
      double[] density = {1};
      try (Context context = backend.context(pool)) {
        if (keys > queries) {
          context.load(
              StructuredRows.slots(0, keys - queries), StructuredRows.positions(0, keys - queries));
        }
        context.extend(
            StructuredRows.slots(keys - queries, keys),
            StructuredRows.positions(keys - queries, keys));
        double dense = median(() -> attend(new Span(context, 0, queries), fresh, new double[1]));
        if (selector.isDense(queries, keys)) {
          return new double[] {dense, dense, 1};
        }
        Span chosen = new Span(context, 0, queries, selector);
        double sparse = median(() -> attend(chosen, fresh, density));
        return new double[] {dense, sparse, density[0]};
      }
    }

    private long attend(Span span, float[] fresh, double[] density) {
      int rows = span.count();
      Batch batch = backend.prefillBatch(List.of(span), new int[rows], new int[0], List.of());
      arena.reset();
      DeviceBuffer qkv = arena.allocate(rows, fresh.length / rows);
      DeviceBuffer out = arena.allocate(rows, (long) pool.shape().heads() * pool.shape().headDim());
      backend.upload(fresh, 0, fresh.length, qkv); // anew: attention may rotate Q in place
      finish(qkv);
      long start = System.nanoTime();
      backend.attend(0, qkv, batch, out);
      finish(out);
      long nanos = System.nanoTime() - start;
      if (span.selector() != null) {
        var selection = backend.selection(batch, 0);
        long cells = selection.heads().stream().mapToLong(head -> head.mask().count()).sum();
        density[0] = (double) cells / selection.heads().size() / selection.grid().causalCells();
      }
      return nanos;
    }
  }
}
