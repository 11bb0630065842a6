// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;
import java.util.stream.IntStream;

/**
 * K and V of one layer of all rows of a sequence, as the pool keeps them: K before rotation.
 *
 * @param keys {@code [rows, kvHeads * headDim]}
 * @param values {@code [rows, kvHeads * headDim]}
 */
record CachedRows(KvShape shape, float[] keys, float[] values) {
  /** Of slots {@code [0, rows)}. */
  static CachedRows read(RowPool pool, int layer, int rows) {
    KvShape shape = pool.shape();
    int width = shape.kvHeads() * shape.headDim();
    byte[][] cached = pool.read(IntStream.range(0, rows).toArray()).await();
    float[] keys = new float[rows * width];
    float[] values = new float[rows * width];
    for (int slot = 0; slot < rows; slot++) {
      float[] row = RowValues.values(cached[slot], pool.dtype());
      System.arraycopy(row, 2 * layer * width, keys, slot * width, width);
      System.arraycopy(row, (2 * layer + 1) * width, values, slot * width, width);
    }
    return new CachedRows(shape, keys, values);
  }

  /**
   * The keys turned by their positions (Qwen2.5-VL specification, section 9.2), written here a
   * second time so that it does not lean on the back end's own rotation.
   *
   * @param positions {@code [3][rows]}
   */
  float[] rotatedKeys(float[][] positions) {
    int dim = shape.headDim();
    int half = dim / 2;
    float[] out = new float[keys.length];
    for (int i = 0; i < keys.length; i += dim) {
      int row = i / (shape.kvHeads() * dim);
      for (int pair = 0; pair < half; pair++) {
        float frequency = (float) Math.pow(shape.ropeTheta(), -2.0 * pair / dim);
        float angle = positions[axis(pair)][row] * frequency;
        float cos = (float) Math.cos(angle);
        float sin = (float) Math.sin(angle);
        float a = keys[i + pair];
        float b = keys[i + pair + half];
        out[i + pair] = a * cos - b * sin;
        out[i + pair + half] = b * cos + a * sin;
      }
    }
    return out;
  }

  private int axis(int pair) {
    int[] sections = shape.mropeSections();
    return pair < sections[0] ? 0 : pair < sections[0] + sections[1] ? 1 : 2;
  }
}
