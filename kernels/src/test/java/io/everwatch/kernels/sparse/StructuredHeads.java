// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import io.everwatch.kernels.BlockGrid;
import java.util.Arrays;
import java.util.Random;

/**
 * Seeded queries, keys and values whose heads look at things in known ways; every value is a bf16.
 * Keys carry a content shared by a block, a rotating code of their row, and a mark on a few sinks;
 * a head reads one or more of these.
 *
 * @param q {@code [n, heads, d]}
 * @param k {@code [N, kvHeads, d]}
 * @param v {@code [N, kvHeads, d]}
 */
public record StructuredHeads(
    BlockGrid grid, int heads, int kvHeads, int headDim, float[] q, float[] k, float[] v) {
  /** What a head looks at. */
  public enum Kind {
    /** Few keys, the first among them, and fixed distances. */
    SINKS_AND_SLASHES,
    /** The content of three blocks, others for each row block. */
    CONTENT,
    /** Both. */
    MIXED,
    /** Nothing: normal values. */
    NOISE,
    /** Every key alike. */
    FLAT
  }

  /** Heads of every kind in turn, {@code group} query heads to a KV head. */
  public static StructuredHeads of(long seed, BlockGrid grid, int heads, int group, int headDim) {
    int kvHeads = heads / group;
    StructuredHeads all =
        new StructuredHeads(
            grid,
            heads,
            kvHeads,
            headDim,
            new float[grid.queries() * heads * headDim],
            new float[grid.keys() * kvHeads * headDim],
            new float[grid.keys() * kvHeads * headDim]);
    Random random = new Random(seed);
    Kind[] kinds = Kind.values();
    for (int kvHead = 0; kvHead < kvHeads; kvHead++) {
      Memory memory = new Memory(random, grid, headDim);
      memory.write(random, all.k, kvHead * headDim, kvHeads * headDim);
      for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
        memory.ask(
            random,
            kinds[(head + (int) seed) % kinds.length],
            all.q,
            head * headDim,
            heads * headDim);
      }
    }
    for (int i = 0; i < all.v.length; i++) {
      all.v[i] = bf16(random.nextGaussian());
    }
    return all;
  }

  /** The queries of one head, {@code [n, d]}. */
  public float[] queries(int head) {
    return column(q, head, heads);
  }

  /** The keys of the KV head that a query head reads, {@code [N, d]}. */
  public float[] keys(int head) {
    return column(k, head / (heads / kvHeads), kvHeads);
  }

  /** The values beside them. */
  public float[] values(int head) {
    return column(v, head / (heads / kvHeads), kvHeads);
  }

  /** The last queries only, over all keys. */
  public StructuredHeads last(int queries) {
    int width = heads * headDim;
    return new StructuredHeads(
        new BlockGrid(grid.block(), queries, grid.keys()),
        heads,
        kvHeads,
        headDim,
        Arrays.copyOfRange(q, (grid.queries() - queries) * width, q.length),
        k,
        v);
  }

  private float[] column(float[] all, int index, int count) {
    int rows = all.length / (count * headDim);
    float[] column = new float[rows * headDim];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(all, (row * count + index) * headDim, column, row * headDim, headDim);
    }
    return column;
  }

  /** What a selector sees of one head. */
  public HeadRows vectors(int head) {
    return new ArrayVectors(headDim, queries(head), keys(head));
  }

  private static float bf16(double value) {
    return Float.intBitsToFloat((Float.floatToIntBits((float) value) + 0x8000) & 0xFFFF0000);
  }

  /** The keys of one KV head. */
  private static final class Memory {
    private final BlockGrid grid;
    private final int headDim;
    private final int half;
    private final double[][] content;
    private final double[] speed;

    Memory(Random random, BlockGrid grid, int headDim) {
      this.grid = grid;
      this.headDim = headDim;
      half = headDim / 2;
      content = new double[grid.blocks()][half];
      for (double[] block : content) {
        double squares = 0;
        for (int d = 0; d < half; d++) {
          block[d] = random.nextGaussian();
          squares += block[d] * block[d];
        }
        for (int d = 0; d < half; d++) {
          block[d] /= Math.sqrt(squares);
        }
      }
      speed = random.doubles((headDim - half - 2) / 2, 0.05, Math.PI).toArray();
    }

    void write(Random random, float[] keys, int at, int stride) {
      for (int row = 0; row < grid.keys(); row++) {
        int from = at + row * stride;
        for (int d = 0; d < half; d++) {
          keys[from + d] = bf16(content[row / grid.block()][d] + 0.03 * random.nextGaussian());
        }
        for (int i = 0; i < speed.length; i++) {
          keys[from + half + i] = bf16(Math.cos(row * speed[i]));
          keys[from + half + speed.length + i] = bf16(Math.sin(row * speed[i]));
        }
        boolean sink = row == 0 || random.nextInt(400) == 0;
        keys[from + headDim - 1] = sink ? 1 : 0;
      }
    }

    void ask(Random random, Kind kind, float[] queries, int at, int stride) {
      double unit = Math.sqrt(headDim);
      int[] steps = {0, 1 + random.nextInt(grid.keys()), 1 + random.nextInt(grid.keys())};
      int wanted = -1;
      int[] picks = new int[3];
      for (int i = 0; i < grid.queries(); i++) {
        int row = grid.contextRows() + i;
        int from = at + i * stride;
        double[] query = new double[headDim];
        if (kind == Kind.NOISE) {
          Arrays.setAll(query, d -> random.nextGaussian());
        } else if (kind != Kind.FLAT) {
          Arrays.setAll(query, d -> 0.02 * random.nextGaussian());
        }
        if (kind == Kind.SINKS_AND_SLASHES || kind == Kind.MIXED) {
          slashes(query, row, steps, unit);
        }
        if (kind == Kind.CONTENT || kind == Kind.MIXED) {
          int owner = Math.min(row, Math.max(0, grid.keys() - grid.block())) / grid.block();
          if (owner != wanted) { // the newest queries agree
            wanted = owner;
            Arrays.setAll(picks, p -> random.nextInt(Math.max(1, owner)));
          }
          for (int p = 0; p < picks.length; p++) {
            for (int d = 0; d < half; d++) {
              query[d] += unit * (7 - p) * content[picks[p]][d];
            }
          }
        }
        for (int d = 0; d < headDim; d++) {
          queries[from + d] = bf16(query[d]);
        }
      }
    }

    private void slashes(double[] query, int row, int[] steps, double unit) {
      for (int step : steps) {
        double size = unit * 9 / speed.length / (step == 0 ? 1 : 1.25);
        for (int i = 0; i < speed.length; i++) {
          query[half + i] += size * Math.cos((row - step) * speed[i]);
          query[half + speed.length + i] += size * Math.sin((row - step) * speed[i]);
        }
      }
      query[headDim - 1] += unit * 9.5;
    }
  }

  /** Products in double, rounded once. */
  private record ArrayVectors(int headDim, float[] q, float[] k) implements HeadRows {
    @Override
    public void queries(int first, int count, float[] out) {
      System.arraycopy(q, first * headDim, out, 0, count * headDim);
    }

    @Override
    public void keys(int first, int count, float[] out) {
      System.arraycopy(k, first * headDim, out, 0, count * headDim);
    }

    @Override
    public void scores(int first, int count, float[] out) {
      int keys = k.length / headDim;
      double scale = 1 / Math.sqrt(headDim);
      for (int i = 0; i < count; i++) {
        for (int j = 0; j < keys; j++) {
          double dot = 0;
          for (int d = 0; d < headDim; d++) {
            dot += (double) q[(first + i) * headDim + d] * k[j * headDim + d];
          }
          out[i * keys + j] = (float) (dot * scale);
        }
      }
    }
  }
}
