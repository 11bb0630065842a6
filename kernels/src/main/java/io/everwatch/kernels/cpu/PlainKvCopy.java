// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/**
 * On the heap: K {@code [kvHeads * headDim, capacity]}, V {@code [capacity, kvHeads * headDim]}.
 */
final class PlainKvCopy implements KvCopy {
  private final int headDim;
  private final int width;
  private final float[][] keys;
  private final float[][] values;
  private int capacity;

  PlainKvCopy(int layers, int kvHeads, int headDim) {
    this.headDim = headDim;
    this.width = kvHeads * headDim;
    keys = new float[layers][0];
    values = new float[layers][0];
  }

  int headDim() {
    return headDim;
  }

  int width() {
    return width;
  }

  int capacity() {
    return capacity;
  }

  float[] keys(int layer) {
    return keys[layer];
  }

  float[] values(int layer) {
    return values[layer];
  }

  @Override
  public void reserve(int rows) {
    if (rows <= capacity) {
      return;
    }
    int grown = Math.max(rows + rows / 8, 64);
    int elements = Math.multiplyExact(grown, width);
    for (int layer = 0; layer < keys.length; layer++) {
      float[] k = CpuArena.newArray(elements, "working copy of K");
      for (int c = 0; c < width && capacity > 0; c++) {
        System.arraycopy(keys[layer], c * capacity, k, c * grown, capacity);
      }
      float[] v = CpuArena.newArray(elements, "working copy of V");
      System.arraycopy(values[layer], 0, v, 0, values[layer].length);
      keys[layer] = k;
      values[layer] = v;
    }
    capacity = grown;
  }

  @Override
  public void put(int layer, int first, int count, float[] k, float[] v) {
    float[] transposed = keys[layer];
    for (int c = 0; c < width; c++) {
      int to = c * capacity + first;
      for (int row = 0; row < count; row++) {
        transposed[to + row] = k[row * width + c];
      }
    }
    System.arraycopy(v, 0, values[layer], first * width, count * width);
  }

  @Override
  public void keys(int layer, int kvHead, int first, int count, float[] out) {
    for (int d = 0; d < headDim; d++) {
      int from = (kvHead * headDim + d) * capacity + first;
      for (int row = 0; row < count; row++) {
        out[row * headDim + d] = keys[layer][from + row];
      }
    }
  }

  @Override
  public void close() {
    for (int layer = 0; layer < keys.length; layer++) {
      keys[layer] = new float[0];
      values[layer] = new float[0];
    }
    capacity = 0;
  }
}
