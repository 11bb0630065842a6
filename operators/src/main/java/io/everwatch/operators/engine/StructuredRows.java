// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.CounterRandom;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;
import java.util.Arrays;

/**
 * Queries, keys and values with the structure that attention heads of trained models have, for
 * measurements: flat noise would choose everything, and a time of it would say nothing.
 *
 * <p>Fast pairs of a head are equal in all rows, so that rotation lets them agree at short
 * distances only; slow pairs are large in few rows, the first ones and every {@value
 * #COLUMN_EVERY}th. Even query heads look for the former (a local window), odd ones for the latter
 * (sink and columns). All is drawn from a fixed seed.
 */
final class StructuredRows {
  private static final int SINK = 4;
  private static final int COLUMN_EVERY = 97;

  /** Of a query's wanted pairs: about eleven nats above the rest at 128 components. */
  private static final float STRENGTH = 4;

  private static final float NOISE = 0.5f;
  private static final int TABLE = 1 << 14;
  private static final int AT_ONCE = 1024;

  private final KvShape shape;
  private final float[] noise = new float[TABLE];

  /**
   * @param shape of one layer
   */
  StructuredRows(KvShape shape) {
    this.shape = shape;
    for (int i = 0; i < TABLE; i++) {
      // Uniform with the variance of a normal number.
      noise[i] = (float) ((CounterRandom.uniform(7, 0, i) - 0.5) * Math.sqrt(12)) * NOISE;
    }
  }

  static int[] slots(int from, int to) {
    int[] slots = new int[to - from];
    Arrays.setAll(slots, i -> from + i);
    return slots;
  }

  /** Those of text: all three components count the rows. */
  static float[][] positions(int from, int to) {
    float[] positions = new float[to - from];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = from + i;
    }
    return new float[][] {positions, positions, positions};
  }

  /** Writes all rows of a pool. */
  void fill(RowPool pool) {
    for (int from = 0; from < pool.slots(); from += AT_ONCE) {
      int to = Math.min(pool.slots(), from + AT_ONCE);
      byte[][] rows = new byte[to - from][];
      for (int row = from; row < to; row++) {
        float[] values = new float[Math.toIntExact(shape.rowElements())];
        keyAndValue(row, values, 0);
        rows[row - from] = RowValues.convert(RowValues.bytes(values), DType.F32, pool.dtype());
      }
      pool.write(slots(from, to), rows);
    }
  }

  /** {@code [to - from, (H + 2 K) D]}: Q, K and V of rows, before rotation. */
  float[] projections(int from, int to) {
    int queryWidth = shape.heads() * shape.headDim();
    int width = queryWidth + 2 * shape.kvHeads() * shape.headDim();
    float[] values = new float[Math.multiplyExact(to - from, width)];
    for (int row = from; row < to; row++) {
      int at = (row - from) * width;
      for (int head = 0; head < shape.heads(); head++) {
        query(row, head, values, at + head * shape.headDim());
      }
      keyAndValue(row, values, at + queryWidth);
    }
    return values;
  }

  private void query(int row, int head, float[] to, int at) {
    int half = shape.headDim() / 2;
    boolean local = head % 2 == 0;
    for (int i = 0; i < 2 * half; i++) {
      boolean wanted = i < half && (i < half / 2) == local;
      to[at + i] = (wanted ? STRENGTH : 0) + noise(row, head, i);
    }
  }

  private void keyAndValue(int row, float[] to, int at) {
    int half = shape.headDim() / 2;
    boolean column = row < SINK || row % COLUMN_EVERY == 0;
    for (int head = 0; head < shape.kvHeads(); head++) {
      int key = at + head * shape.headDim();
      int value = key + shape.kvHeads() * shape.headDim();
      for (int i = 0; i < 2 * half; i++) {
        boolean large = i < half / 2 || (i < half && column);
        to[key + i] = (large ? 1 : 0) + noise(row, shape.heads() + head, i);
        to[value + i] = noise(row, shape.heads() + shape.kvHeads() + head, i);
      }
    }
  }

  private float noise(int row, int head, int component) {
    int hash = (row * 31 + head) * 131 + component;
    hash *= 0x9E3779B9;
    return noise[(hash ^ (hash >>> 15)) & (TABLE - 1)];
  }
}
