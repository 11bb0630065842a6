// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.sparse.HeadRows;
import io.everwatch.kernels.sparse.HeadSelector;
import java.util.Arrays;
import java.util.Random;

/**
 * A stream's Q, K and V of one layer, a function of its seed: of three heads one looks at the first
 * keys and at a fixed distance, one at the content of few blocks, one at nothing in particular. All
 * positions are 0, which turns nothing.
 */
final class SparseInput {
  private static final int CONTENT = 32; // rows that are alike

  final KvShape shape;
  final int keys;
  private final float[] q; // [N][H][D]
  private final float[] k; // [N][K][D]
  private final float[] v;

  SparseInput(KvShape shape, DType dtype, int keys, long seed) {
    this.shape = shape;
    this.keys = keys;
    int d = shape.headDim();
    q = Samples.gaussian(seed, keys * shape.heads() * d);
    k = Samples.gaussian(seed + 1, keys * shape.kvHeads() * d);
    v = Samples.gaussian(seed + 2, keys * shape.kvHeads() * d);
    float[] contents = Samples.gaussian(seed + 3, (keys / CONTENT + 1) * d);
    Random random = new Random(seed + 4);
    int[] picks = random.ints(keys / CONTENT + 1L, 0, keys / CONTENT + 1).toArray();
    for (int row = 0; row < keys; row++) {
      for (int kv = 0; kv < shape.kvHeads(); kv++) {
        int at = (row * shape.kvHeads() + kv) * d;
        for (int i = 0; i < d; i++) {
          k[at + i] = 0.5f * k[at + i] + contents[row / CONTENT * d + i];
        }
        k[at + d - 1] = row < 3 ? 6 : 0;
        k[at + d - 2] = 3 * (float) Math.cos(0.7 * row);
        k[at + d - 3] = 3 * (float) Math.sin(0.7 * row);
      }
      for (int head = 0; head < shape.heads(); head++) {
        int at = (row * shape.heads() + head) * d;
        int kind = head % 3;
        for (int i = 0; i < d; i++) {
          float content = contents[picks[row / CONTENT] * d + i];
          q[at + i] = kind == 2 ? 0.7f * q[at + i] : 0.1f * q[at + i] + (kind == 1 ? content : 0);
        }
        if (kind == 0) {
          float strength = (float) Math.sqrt(d);
          q[at + d - 1] = strength;
          q[at + d - 2] = strength * (float) Math.cos(0.7 * (row - 40));
          q[at + d - 3] = strength * (float) Math.sin(0.7 * (row - 40));
        }
      }
    }
    round(dtype);
  }

  private void round(DType dtype) {
    if (dtype == DType.BF16) {
      for (float[] values : new float[][] {q, k, v}) {
        System.arraycopy(Bf16.round(values), 0, values, 0, values.length);
      }
    }
  }

  /** Nothing is asked for: every row sees all rows before it alike. */
  SparseInput askingForNothing() {
    Arrays.fill(q, 0);
    return this;
  }

  /** As the heads are, a thousand times weaker: masses that differ in their last bits. */
  SparseInput askingFaintly(DType dtype) {
    for (int i = 0; i < q.length; i++) {
      q[i] *= 1e-3f;
    }
    round(dtype);
    return this;
  }

  /** All see {@code count} rows from {@code first} on 20 nats above the others, which are alike. */
  SparseInput askingForRows(int first, int count, DType dtype) {
    int width = shape.kvHeads() * shape.headDim();
    Arrays.fill(k, 0);
    Arrays.fill(k, first * width, (first + count) * width, 1);
    Arrays.fill(q, (float) (20 / Math.sqrt(shape.headDim())));
    round(dtype);
    return this;
  }

  /** K and V of a row, as a pool of one layer stores them. */
  float[] cached(int row) {
    int width = shape.kvHeads() * shape.headDim();
    float[] both = new float[2 * width];
    System.arraycopy(k, row * width, both, 0, width);
    System.arraycopy(v, row * width, both, width, width);
    return both;
  }

  /** Q, K and V of a row, {@code [(H + 2 K) * D]}. */
  float[] token(int row) {
    int width = shape.heads() * shape.headDim();
    float[] cached = cached(row);
    float[] token = new float[width + cached.length];
    System.arraycopy(q, row * width, token, 0, width);
    System.arraycopy(cached, 0, token, width, cached.length);
    return token;
  }

  /** What the reference chooses; with noise on its scores and queries where that is not 0. */
  Head choose(FlexPrefill settings, int head, BlockGrid grid, double noise, long seed) {
    return HeadSelector.of(settings).select(head, grid, new Vectors(head, grid, noise, seed));
  }

  private double score(int row, int head, int key) {
    int d = shape.headDim();
    int kv = head / (shape.heads() / shape.kvHeads());
    double sum = 0;
    for (int i = 0; i < d; i++) {
      sum +=
          (double) q[(row * shape.heads() + head) * d + i]
              * k[(key * shape.kvHeads() + kv) * d + i];
    }
    return sum / Math.sqrt(d);
  }

  /**
   * Attention of a row in double over the keys that a mask lets it see, and behind it the natural
   * logarithm of the sum of exponentials: {@code [D + 1]}.
   */
  double[] attend(BlockGrid grid, BlockMask mask, int query, int head) {
    int d = shape.headDim();
    int row = grid.contextRows() + query;
    int kv = head / (shape.heads() / shape.kvHeads());
    double[] scores = new double[row + 1];
    double largest = Double.NEGATIVE_INFINITY;
    for (int j = 0; j <= row; j++) {
      boolean seen = mask.has(row / grid.block() - grid.firstRow(), j / grid.block());
      scores[j] = seen ? score(row, head, j) : Double.NEGATIVE_INFINITY;
      largest = Math.max(largest, scores[j]);
    }
    double[] out = new double[d + 1];
    double sum = 0;
    for (int j = 0; j <= row; j++) {
      double p = Math.exp(scores[j] - largest);
      sum += p;
      for (int i = 0; i < d && p > 0; i++) {
        out[i] += p * v[(j * shape.kvHeads() + kv) * d + i];
      }
    }
    for (int i = 0; i < d; i++) {
      out[i] /= sum;
    }
    out[d] = largest + Math.log(sum);
    return out;
  }

  private final class Vectors implements HeadRows {
    private final int head;
    private final BlockGrid grid;
    private final double noise;
    private final Random random;

    Vectors(int head, BlockGrid grid, double noise, long seed) {
      this.head = head;
      this.grid = grid;
      this.noise = noise;
      this.random = new Random(seed);
    }

    @Override
    public int headDim() {
      return shape.headDim();
    }

    @Override
    public void queries(int first, int count, float[] out) {
      int d = shape.headDim();
      for (int i = 0; i < count * d; i++) {
        int row = grid.contextRows() + first + i / d;
        out[i] = q[(row * shape.heads() + head) * d + i % d] + disturbance();
      }
    }

    @Override
    public void keys(int first, int count, float[] out) {
      int d = shape.headDim();
      int kv = head / (shape.heads() / shape.kvHeads());
      for (int i = 0; i < count * d; i++) {
        out[i] = k[((first + i / d) * shape.kvHeads() + kv) * d + i % d];
      }
    }

    @Override
    public void scores(int first, int count, float[] out) {
      for (int i = 0; i < count * grid.keys(); i++) {
        int row = grid.contextRows() + first + i / grid.keys();
        out[i] = (float) score(row, head, i % grid.keys()) + disturbance();
      }
    }

    private float disturbance() {
      return noise == 0 ? 0 : (float) (noise * random.nextGaussian());
    }
  }
}
