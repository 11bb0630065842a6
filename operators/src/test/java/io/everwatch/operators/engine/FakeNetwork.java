// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Context;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.PendingRows;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;
import io.everwatch.kernels.Sampler;
import io.everwatch.operators.model.Patches;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A network of hashes: a row is a function of its id, its position, its picture and all rows before
 * it with their positions; logits are a function of the last row. So a wrong slot, a wrong position
 * or a wrong order changes everything that follows, and a round costs microseconds.
 */
final class FakeNetwork implements Network {
  private static final KvShape SHAPE = new KvShape(1, 2, 2, 4, new int[] {1, 1, 0}, 10_000);
  private static final int ROW = (int) SHAPE.rowElements();

  private final int vocabulary;
  private final int end;
  private final int pause;
  private final Pool pool;
  private List<VisionRows> pictures = List.of();
  private List<FakeContext> last = List.of();
  private List<Draw> draws = List.of();
  private int open;
  private boolean closed;

  /** Sees every call with the ids that it computes, before anything is computed; may throw. */
  Consumer<List<int[]>> beforePrefill = ids -> {};

  Consumer<int[]> beforeDecode = ids -> {};

  /** What is handed out for rows that were asked for. */
  UnaryOperator<PendingRows> coming = UnaryOperator.identity();

  /** Largest number of streams in one call so far. */
  int largestBatch;

  FakeNetwork(int vocabulary, int end, int pause, int slots) {
    this.vocabulary = vocabulary;
    this.end = end;
    this.pause = pause;
    this.pool = new Pool(slots);
  }

  int openContexts() {
    return open;
  }

  boolean closed() {
    return closed;
  }

  @Override
  public RowPool rows() {
    return pool;
  }

  @Override
  public Context context() {
    open++;
    return new FakeContext();
  }

  @Override
  public int vocabulary() {
    return vocabulary;
  }

  @Override
  public void begin() {
    last = List.of();
  }

  @Override
  public void vision(List<VisionRows> rows) {
    pictures = rows;
  }

  @Override
  public void prefill(List<Prompt> prompts, List<Draw> chosenBy) {
    largestBatch = Math.max(largestBatch, prompts.size());
    beforePrefill.accept(prompts.stream().map(Prompt::ids).toList());
    List<FakeContext> contexts = new ArrayList<>();
    int clip = 0;
    for (Prompt prompt : prompts) {
      FakeContext context = (FakeContext) prompt.context();
      long[] seen = new long[prompt.ids().length];
      for (Pads pads : prompt.pads()) {
        VisionRows rows = pictures.get(clip++);
        if (rows.count() != pads.count()) {
          throw new AssertionError("%s for %s".formatted(rows, pads));
        }
        long picture = Arrays.hashCode(((Patches) rows.clip()).rows());
        for (int i = 0; i < pads.count(); i++) {
          seen[pads.from() + i] = picture + rows.from() + i;
        }
      }
      for (int i = 0; i < seen.length; i++) {
        context.compute(prompt.ids()[i], seen[i]);
      }
      if (prompt.ends()) {
        contexts.add(context);
      }
    }
    last = contexts;
    draws = chosenBy;
  }

  @Override
  public void decode(List<Context> contexts, int[] ids, List<Draw> chosenBy) {
    largestBatch = Math.max(largestBatch, ids.length);
    beforeDecode.accept(ids);
    last = contexts.stream().map(FakeContext.class::cast).toList();
    for (int i = 0; i < ids.length; i++) {
      last.get(i).compute(ids[i], 0);
      last.get(i).seen.set(ids[i]);
    }
    draws = chosenBy;
  }

  @Override
  public int[] sample() {
    int[] tokens = new int[draws.size()];
    for (int i = 0; i < tokens.length; i++) {
      float[] row = new float[vocabulary];
      logits(i, row);
      tokens[i] = Sampler.next(row, new int[0], last.get(i).seen, draws.get(i));
    }
    return tokens;
  }

  @Override
  public void logits(int index, float[] to) {
    long hash = last.get(index).hash;
    for (int id = 0; id < to.length; id++) {
      to[id] = (mix(hash + id) >>> 48) * 0x1p-16f;
    }
    long luck = mix(hash ^ 77) >>> 60; // of 16
    to[pause] += luck < 6 ? 2 : 0;
    to[end] += luck > 9 ? 2 : 0;
  }

  @Override
  public void close() {
    closed = true;
  }

  private static long mix(long value) {
    long z = value * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private final class FakeContext implements Context {
    private final List<Integer> coming = new ArrayList<>();
    private final List<float[]> places = new ArrayList<>();
    private final BitSet seen = new BitSet();
    private long hash;
    private int rows;
    private boolean shut;

    @Override
    public int rows() {
      return rows;
    }

    @Override
    public void seen(int[] distinctIds) {
      seen.clear();
      Arrays.stream(distinctIds).forEach(seen::set);
    }

    @Override
    public void load(int[] slots, float[][] positions) {
      for (int i = 0; i < slots.length; i++) {
        see(pool.rows[slots[i]], place(positions, i));
        rows++;
      }
    }

    @Override
    public void extend(int[] slots, float[][] positions) {
      for (int i = 0; i < slots.length; i++) {
        coming.add(slots[i]);
        places.add(place(positions, i));
        rows++;
      }
    }

    void compute(int id, long picture) {
      float[] place = places.remove(0);
      float[] row = new float[ROW];
      long own = mix(mix(hash ^ id) + mix(picture) + Arrays.hashCode(place));
      for (int i = 0; i < ROW; i++) {
        row[i] = (mix(own + i) >>> 44) * 0x1p-20f;
      }
      pool.rows[coming.remove(0)] = row;
      see(row, place);
    }

    private void see(float[] row, float[] place) {
      hash = mix(hash + 31L * Arrays.hashCode(row) + Arrays.hashCode(place));
    }

    private static float[] place(float[][] positions, int i) {
      return new float[] {positions[0][i], positions[1][i], positions[2][i]};
    }

    @Override
    public void close() {
      if (!shut) {
        shut = true;
        open--;
      }
    }
  }

  private final class Pool implements RowPool {
    private final float[][] rows;

    Pool(int slots) {
      rows = new float[slots][ROW];
    }

    @Override
    public KvShape shape() {
      return SHAPE;
    }

    @Override
    public int slots() {
      return rows.length;
    }

    @Override
    public DType dtype() {
      return DType.F32;
    }

    @Override
    public PendingRows read(int[] slots) {
      PendingRows copied =
          PendingRows.of(
              Arrays.stream(slots)
                  .mapToObj(slot -> RowValues.bytes(rows[slot]))
                  .toArray(byte[][]::new));
      return coming.apply(copied);
    }

    @Override
    public void write(int[] slots, byte[][] from) {
      for (int i = 0; i < slots.length; i++) {
        rows[slots[i]] = RowValues.values(from[i], DType.F32);
      }
    }

    @Override
    public void close() {}
  }
}
