// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.SparseCounters;
import java.util.List;

/** What surrounds the kernel: rotation, the rows' slots, the working copies, heads and threads. */
final class CpuAttention implements AutoCloseable {
  private final AttentionKernel kernel;
  private final CpuSparseAttention sparse;
  private final CpuThreads threads;
  private final float[][][] staging; // [threads]: queries, outputs

  private float[] newKeys = new float[0];
  private float[] newValues = new float[0];

  CpuAttention(AttentionKernel kernel, CpuThreads threads) {
    this.kernel = kernel;
    this.sparse = new CpuSparseAttention(kernel.blocks(), threads);
    this.threads = threads;
    this.staging = new float[threads.count()][2][4096];
  }

  String numerics() {
    return kernel.numerics();
  }

  SparseCounters sparseCounters() {
    return sparse.counters();
  }

  KvCopy newCopy(KvShape shape) {
    return kernel.newCopy(shape.layers(), shape.kvHeads(), shape.headDim());
  }

  /** See {@link io.everwatch.kernels.Backend#attend}; arguments are checked. */
  void attend(int layer, CpuBuffer qkv, CpuBatch batch, CpuBuffer out) {
    for (Span span : batch.spans()) {
      storeNewRows(layer, qkv, span);
    }
    batch.choices().attend(span -> sparse.attend(layer, qkv, span, out));
    attendAll(layer, qkv, batch.choices().dense(), out);
  }

  private void attendAll(int layer, CpuBuffer qkv, List<Span> spans, CpuBuffer out) {
    if (spans.isEmpty()) {
      return;
    }
    long cost = 0;
    for (Span span : spans) {
      CpuContext context = (CpuContext) span.context();
      KvShape shape = context.pool().shape();
      cost += 2L * span.count() * context.rows() * shape.heads() * shape.headDim();
    }
    int heads = ((CpuContext) spans.get(0).context()).pool().shape().kvHeads();
    int tasks = spans.size() * heads;
    threads.run(
        tasks,
        cost / tasks,
        (worker, task) ->
            attendHead(worker, layer, qkv, spans.get(task / heads), task % heads, out));
  }

  /** Writes K and V of the span's tokens to their slots, and rotated K to the working copy. */
  private void storeNewRows(int layer, CpuBuffer qkv, Span span) {
    CpuContext context = (CpuContext) span.context();
    KvShape shape = context.pool().shape();
    int width = context.pool().width();
    int queryWidth = shape.heads() * shape.headDim();
    int count = span.count();
    if (newKeys.length < count * width) {
      newKeys = new float[count * width];
      newValues = new float[count * width];
    }
    int firstRow = context.rows() - count;
    for (int i = 0; i < count; i++) {
      int k = qkv.from + (span.first() + i) * (queryWidth + 2 * width) + queryWidth;
      float[] slot = context.pool().row(context.slot(firstRow + i));
      System.arraycopy(qkv.data, k, slot, 2 * layer * width, 2 * width); // K and V lie together
      context.rotateHeads(qkv.data, k, firstRow + i, newKeys, i * width);
      System.arraycopy(qkv.data, k + width, newValues, i * width, width);
    }
    context.copy().put(layer, firstRow, count, newKeys, newValues);
    context.means().changed(layer, firstRow);
  }

  private void attendHead(
      int worker, int layer, CpuBuffer qkv, Span span, int kvHead, CpuBuffer out) {
    CpuContext context = (CpuContext) span.context();
    KvShape shape = context.pool().shape();
    int headDim = shape.headDim();
    int group = shape.heads() / shape.kvHeads();
    int groupWidth = group * headDim;
    int outWidth = shape.heads() * headDim;
    int tokenWidth = outWidth + 2 * context.pool().width();
    int firstRow = context.rows() - span.count();
    float[][] stage = stage(worker, span.count() * groupWidth);
    for (int i = 0; i < span.count(); i++) {
      int from = qkv.from + (span.first() + i) * tokenWidth + kvHead * groupWidth;
      for (int head = 0; head < group; head++) {
        int at = i * groupWidth + head * headDim;
        Rotation.rotate(
            qkv.data,
            from + head * headDim,
            context.factors(),
            (firstRow + i) * headDim,
            headDim,
            stage[0],
            at);
      }
    }
    KvWindow keys = new KvWindow(context.copy(), layer, kvHead, 0, context.rows());
    kernel.attend(worker, keys, stage[0], span.count(), group, true, stage[1]);
    for (int i = 0; i < span.count(); i++) {
      int to = out.from + (span.first() + i) * outWidth + kvHead * groupWidth;
      System.arraycopy(stage[1], i * groupWidth, out.data, to, groupWidth);
    }
  }

  /** See {@link io.everwatch.kernels.Backend#segmentAttention}; arguments are checked. */
  void segments(CpuBuffer qkv, CpuPatchBatch batch, int segmentation, int heads, CpuBuffer out) {
    SegmentShape shape = new SegmentShape(heads, batch.headDim());
    int headDim = shape.headDim();
    int width = shape.width();
    int patches = batch.patches();
    int[] lengths = batch.segmentations().get(segmentation);
    rotateAll(qkv, batch, shape);
    int[] first = new int[lengths.length];
    long cost = 0;
    for (int i = 0; i < lengths.length; i++) {
      first[i] = i == 0 ? 0 : first[i - 1] + lengths[i - 1];
      cost += 2L * lengths[i] * lengths[i] * width;
    }
    int tasks = lengths.length * shape.heads();
    try (KvCopy copy = kernel.newCopy(1, shape.heads(), headDim)) {
      copy.reserve(patches);
      copy.put(0, 0, patches, newKeys, newValues);
      threads.run(
          tasks,
          cost / Math.max(1, tasks),
          (worker, task) -> {
            int segment = task / shape.heads();
            int head = task % shape.heads();
            if (lengths[segment] > 0) {
              segmentHead(
                  worker,
                  new KvWindow(copy, 0, head, first[segment], lengths[segment]),
                  qkv,
                  shape,
                  out);
            }
          });
    }
  }

  private void segmentHead(
      int worker, KvWindow keys, CpuBuffer qkv, SegmentShape shape, CpuBuffer out) {
    int headDim = shape.headDim();
    int width = shape.width();
    float[][] stage = stage(worker, keys.rows() * headDim);
    for (int i = 0; i < keys.rows(); i++) {
      int from = qkv.from + (keys.first() + i) * 3 * width + keys.kvHead() * headDim;
      System.arraycopy(qkv.data, from, stage[0], i * headDim, headDim);
    }
    kernel.attend(worker, keys, stage[0], keys.rows(), 1, false, stage[1]);
    for (int i = 0; i < keys.rows(); i++) {
      int to = out.from + (keys.first() + i) * width + keys.kvHead() * headDim;
      System.arraycopy(stage[1], i * headDim, out.data, to, headDim);
    }
  }

  /** Rotates Q in place, gathers rotated K and V into {@code newKeys} and {@code newValues}. */
  private void rotateAll(CpuBuffer qkv, CpuPatchBatch batch, SegmentShape shape) {
    int patches = batch.patches();
    float[] factors = batch.factors();
    int headDim = shape.headDim();
    int width = shape.width();
    if (newKeys.length < patches * width) {
      newKeys = new float[patches * width];
      newValues = new float[patches * width];
    }
    for (int t = 0; t < patches; t++) {
      int q = qkv.from + t * 3 * width;
      for (int head = 0; head < shape.heads(); head++) {
        int at = head * headDim;
        Rotation.rotate(qkv.data, q + at, factors, t * headDim, headDim, qkv.data, q + at);
        Rotation.rotate(
            qkv.data, q + width + at, factors, t * headDim, headDim, newKeys, t * width + at);
      }
      System.arraycopy(qkv.data, q + 2 * width, newValues, t * width, width);
    }
  }

  private float[][] stage(int worker, int elements) {
    float[][] stage = staging[worker];
    if (stage[0].length < elements) {
      stage[0] = new float[elements];
      stage[1] = new float[elements];
    }
    return stage;
  }

  @Override
  public void close() {
    sparse.close();
    kernel.close();
  }

  /** Heads of the vision tower: as many KV heads as query heads. */
  private record SegmentShape(int heads, int headDim) {
    int width() {
      return heads * headDim;
    }
  }
}
