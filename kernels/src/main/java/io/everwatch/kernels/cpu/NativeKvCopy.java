// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** Outside the heap: {@code [layers][2][capacity][kvHeads * headDim]} in one slab. */
final class NativeKvCopy implements KvCopy {
  private final NativeSlabs slabs;
  private final int layers;
  private final int headDim;
  private final int width;
  private NativeMemory slab;
  private int capacity;

  NativeKvCopy(NativeSlabs slabs, int layers, int kvHeads, int headDim) {
    this.slabs = slabs;
    this.layers = layers;
    this.headDim = headDim;
    this.width = kvHeads * headDim;
    this.slab = NativeMemory.NONE;
  }

  int headDim() {
    return headDim;
  }

  /** Distance of two rows. */
  int width() {
    return width;
  }

  /** K of a layer from {@code element} on. */
  FloatPointer keys(int layer, long element) {
    return slab.at(start(layer, 0, element));
  }

  /** V of a layer from {@code element} on. */
  FloatPointer values(int layer, long element) {
    return slab.at(start(layer, 1, element));
  }

  private long start(int layer, int keyOrValue, long element) {
    return (2L * layer + keyOrValue) * capacity * width + element;
  }

  @Override
  public void reserve(int rows) {
    if (rows <= capacity) {
      return;
    }
    int grown = NativeSlabs.roundedRows(rows);
    NativeMemory larger =
        slabs.take(
            Math.multiplyExact(2L * layers * width, (long) grown), "working copy of K and V");
    for (int part = 0; part < 2 * layers && capacity > 0; part++) {
      Pointer.memcpy(
          larger.at((long) part * grown * width),
          slab.at((long) part * capacity * width),
          4L * capacity * width);
    }
    slabs.giveBack(slab);
    slab = larger;
    capacity = grown;
  }

  @Override
  public void put(int layer, int first, int count, float[] k, float[] v) {
    slab.put(start(layer, 0, (long) first * width), k, 0, count * width);
    slab.put(start(layer, 1, (long) first * width), v, 0, count * width);
  }

  @Override
  public void keys(int layer, int kvHead, int first, int count, float[] out) {
    for (int row = 0; row < count; row++) {
      long from = (long) (first + row) * width + (long) kvHead * headDim;
      slab.get(start(layer, 0, from), out, row * headDim, headDim);
    }
  }

  @Override
  public void close() {
    slabs.giveBack(slab);
    slab = NativeMemory.NONE;
    capacity = 0;
  }
}
