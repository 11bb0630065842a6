// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * Launches {@code segment_attention.cu}, the attention of the vision tower. What the kernels must
 * know of the patches of one pass of the tower goes to the device once, as a {@link PatchTable}.
 * Shapes: T patches, H heads, D head dim; A is the activation type.
 *
 * <p>One thread at a time.
 */
final class CudaSegmentAttention {
  private static final int BLOCK = 256;
  private static final int ROTATE_BLOCK = 128;
  private static final int ATTEND_BLOCK = 128;

  // As in segment_attention.cu.
  private static final int KEYS = 64;
  private static final int WIDEST_PADDED_DIM = 96; // of the wide form
  private static final int TILE_INTS = 4;
  private static final int HEAD_DIM_STEP = 8; // one 16-byte copy
  private static final int MOST_HEAD_DIM = 128;

  private static final double LOG2_E = 1 / Math.log(2);

  private final KernelModule module;
  private final boolean plain;
  private final Kernel factors;
  private final Kernel rotate;

  /** How the kernels work. All but the plain one give a row the same bits: a matter of speed. */
  private enum Form {
    /** Float32. */
    PLAIN(4, 0),
    /** No segment is longer than one step of keys: rotated on the way. */
    ONE_STEP(64, 1),
    NARROW(64, 2),
    WIDE(128, 2);

    /** Of a tile. */
    final int queries;

    /** Of keys and values in shared memory. */
    final int stages;

    Form(int queries, int stages) {
      this.queries = queries;
      this.stages = stages;
    }
  }

  /**
   * One way of cutting the patches into segments, as tiles of queries.
   *
   * @param tiles address of {first patch of the segment, its patches, first query in it, 0} each
   */
  private record Segmentation(long tiles, int count, Form form) {}

  /** The patches of one pass of the tower on the device, in memory that its maker owns. */
  static final class PatchTable {
    private final int patches;
    private final int headDim;
    private final long factors; // address of [T, D/2] pairs of cosine and sine, f32
    private final List<Segmentation> segmentations;

    private PatchTable(int patches, int headDim, long factors, List<Segmentation> segmentations) {
      this.patches = patches;
      this.headDim = headDim;
      this.factors = factors;
      this.segmentations = segmentations;
    }

    /** T. */
    int patches() {
      return patches;
    }

    /** D. */
    int headDim() {
      return headDim;
    }
  }

  /**
   * @param activation A, F32 or BF16
   */
  CudaSegmentAttention(CudaDevice device, DType activation) {
    module = KernelModule.load(device, "segment_attention");
    plain = activation == DType.F32;
    factors = module.kernel("patch_factors");
    rotate = module.kernel("rotate_patches" + Launches.suffix(activation));
  }

  /**
   * Takes the patches of a pass to the device.
   *
   * @param angles [T, D/2] radians
   * @param headDim D, a multiple of 8 up to 128
   * @param segmentations patches of each segment, sum T: attention windows, whole frame pairs
   * @param ring of {@code stream}
   * @param memory device memory for as long as the table is used: bytes to address
   */
  PatchTable table(
      CudaStream stream,
      float[] angles,
      int headDim,
      List<int[]> segmentations,
      UploadRing ring,
      LongUnaryOperator memory) {
    if (headDim < 1 || headDim % HEAD_DIM_STEP != 0 || headDim > MOST_HEAD_DIM) {
      throw new IllegalArgumentException(
          "segmentAttention: head dim %d; expected a multiple of %d up to %d on this back end"
              .formatted(headDim, HEAD_DIM_STEP, MOST_HEAD_DIM));
    }
    int patches = angles.length / (headDim / 2);
    if (angles.length % (headDim / 2) != 0) {
      throw new IllegalArgumentException(
          "segmentAttention: %d angles for head dim %d; expected [patches, %d]"
              .formatted(angles.length, headDim, headDim / 2));
    }
    List<Segmentation> cut = new ArrayList<>(segmentations.size());
    for (int[] lengths : segmentations) {
      cut.add(segmentation(lengths, patches, headDim, ring, memory));
    }
    long turned = memory.applyAsLong(2L * Float.BYTES * angles.length);
    if (patches > 0) {
      long raw = memory.applyAsLong((long) Float.BYTES * angles.length);
      ring.upload(angles, 0, angles.length, DType.F32, raw);
      factors.launch(
          stream,
          Launches.ceil(angles.length, BLOCK),
          1,
          1,
          BLOCK,
          0,
          factors.args().pointer(raw).pointer(turned).i32(angles.length));
    }
    return new PatchTable(patches, headDim, turned, cut);
  }

  private Segmentation segmentation(
      int[] lengths, int patches, int headDim, UploadRing ring, LongUnaryOperator memory) {
    int longest = 0;
    long sum = 0;
    for (int length : lengths) {
      if (length < 0) {
        throw new IllegalArgumentException(
            "segmentAttention: a segment of %d patches; expected none below 0".formatted(length));
      }
      longest = Math.max(longest, length);
      sum += length;
    }
    if (sum != patches) {
      throw new IllegalArgumentException(
          "segmentAttention: segments of %d patches in all, but angles for %d; do the segments"
                  .formatted(sum, patches)
              + " cover all patches?");
    }
    Form form = form(longest, headDim);
    int[] tiles = tiles(lengths, form.queries);
    long address = memory.applyAsLong((long) Integer.BYTES * tiles.length);
    ring.upload(tiles, address);
    return new Segmentation(address, tiles.length / TILE_INTS, form);
  }

  private Form form(int longest, int headDim) {
    if (plain) {
      return Form.PLAIN;
    }
    if (longest <= KEYS) {
      return Form.ONE_STEP;
    }
    return padded(headDim) <= WIDEST_PADDED_DIM ? Form.WIDE : Form.NARROW;
  }

  private static int[] tiles(int[] lengths, int queries) {
    int count = 0;
    for (int length : lengths) {
      count += Launches.ceil(length, queries);
    }
    int[] tiles = new int[Math.multiplyExact(TILE_INTS, count)];
    int at = 0;
    int start = 0;
    for (int length : lengths) {
      for (int first = 0; first < length; first += queries, at += TILE_INTS) {
        tiles[at] = start;
        tiles[at + 1] = length;
        tiles[at + 2] = first;
      }
      start += length;
    }
    return tiles;
  }

  private static int padded(int headDim) {
    return (headDim + 15) / 16 * 16;
  }

  /**
   * Rotates Q and K, then lets every patch attend over its own segment.
   *
   * @param segmentation index in the table's list
   * @param qkv [T, 3, H, D] of A; Q and K may be overwritten by their rotated values
   * @param out [T, H, D] of A
   */
  void attend(
      CudaStream stream, PatchTable table, int segmentation, long qkv, int heads, long out) {
    Launches.aligned("segmentAttention", qkv, out);
    Segmentation cut = table.segmentations.get(segmentation);
    int headDim = table.headDim;
    if (table.patches == 0 || heads == 0) {
      return;
    }
    if (cut.form != Form.ONE_STEP) {
      rotate.launch(
          stream,
          table.patches,
          1,
          1,
          ROTATE_BLOCK,
          0,
          rotate.args().pointer(qkv).pointer(table.factors).i32(heads).i32(headDim));
    }
    Kernel attend = module.kernel(kernelName(headDim, cut.form));
    Args args = attend.args().pointer(qkv);
    if (!plain) {
      args.pointer(cut.form == Form.ONE_STEP ? table.factors : 0);
    }
    double scale = (plain ? 1 : LOG2_E) / Math.sqrt(headDim);
    attend.launch(
        stream,
        cut.count,
        heads,
        1,
        ATTEND_BLOCK,
        sharedBytes(headDim, cut.form),
        args.pointer(cut.tiles).pointer(out).i32(headDim).f32((float) scale));
  }

  private static String kernelName(int headDim, Form form) {
    return switch (form) {
      case PLAIN -> "attend_segments_f32";
      case ONE_STEP, NARROW -> "attend_segments_bf16_narrow_" + padded(headDim);
      case WIDE -> "attend_segments_bf16_wide_" + padded(headDim);
    };
  }

  /** Q and the stages of K and V, rows of 2 bytes an element and 16 more. */
  private static int sharedBytes(int headDim, Form form) {
    int rows = form == Form.PLAIN ? 0 : form.queries + 2 * KEYS * form.stages;
    return rows * (2 * padded(headDim) + 16);
  }
}
