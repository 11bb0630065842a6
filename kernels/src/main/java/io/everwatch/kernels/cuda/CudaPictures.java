// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.PatchShape;
import io.everwatch.kernels.PlacedPicture;
import io.everwatch.kernels.ResizeTaps;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;

/**
 * Launches {@code pictures.cu}: decoded pictures of any sizes to patches, see {@link
 * io.everwatch.kernels.PatchMaker}.
 *
 * <p>One thread at a time.
 */
final class CudaPictures {
  private static final int BLOCK = 256;
  private static final int CHANNELS = 3;
  private static final int MOST_PICTURES = 65_535; // the grid's second dimension

  private static final long VALUES_BYTES = CHANNELS * 256L * Float.BYTES;

  /** Bytes of {@code struct Picture}. */
  private static final int PICTURE_BYTES = 72;

  private final Kernel resizeColumns;
  private final Kernel placePatches;
  private final ResizeTaps.Cache taps = new ResizeTaps.Cache();

  /**
   * @param activation A, F32 or BF16
   */
  CudaPictures(CudaDevice device, DType activation) {
    KernelModule module = KernelModule.load(device, "pictures");
    resizeColumns = module.kernel("resize_columns");
    placePatches = module.kernel("place_patches" + Launches.suffix(activation));
  }

  /**
   * Resizes, normalises and places all pictures.
   *
   * @param ring of {@code stream}
   * @param memory device memory until the stream has done this: bytes to address
   * @param out {@code [patches, shape.columns()]} of A
   */
  void patches(
      CudaStream stream,
      List<PlacedPicture> pictures,
      PatchShape shape,
      UploadRing ring,
      LongUnaryOperator memory,
      long out,
      long patches) {
    Launches.aligned("patches", out);
    pictures.forEach(picture -> check(picture, shape, patches));
    if (pictures.isEmpty()) {
      return;
    }
    if (pictures.size() > MOST_PICTURES) {
      throw new IllegalArgumentException(
          "patches: %d pictures in a call; expected at most %d"
              .formatted(pictures.size(), MOST_PICTURES));
    }
    Pass pass = new Pass(ring, memory);
    pictures.forEach(pass::add);
    long table = pass.table();
    if (pass.mostNarrowed > 0) {
      resizeColumns.launch(
          stream,
          Launches.ceil(pass.mostNarrowed, BLOCK),
          pictures.size(),
          1,
          BLOCK,
          0,
          resizeColumns.args().pointer(table));
    }
    placePatches.launch(
        stream,
        Launches.ceil(pass.mostPlaced, BLOCK),
        pictures.size(),
        1,
        BLOCK,
        0,
        placePatches
            .args()
            .pointer(table)
            .pointer(values(shape, ring, memory))
            .pointer(out)
            .i32(shape.patchSize())
            .i32(shape.mergeSize())
            .i32(shape.framesPerPatch())
            .i32(shape.windowGroups()));
  }

  /** Bytes that {@link #patches} takes of {@code memory} at most, handed out by a {@link Slab}. */
  long bytes(List<PlacedPicture> pictures) {
    long bytes = Slab.padded(VALUES_BYTES) + Slab.padded((long) PICTURE_BYTES * pictures.size());
    for (PlacedPicture picture : pictures) {
      bytes += Slab.padded(picture.rgb().length);
      bytes += Slab.padded((long) CHANNELS * picture.height() * picture.toWidth());
      bytes += Slab.padded(tableBytes(taps.of(picture.width(), picture.toWidth())));
      bytes += Slab.padded(tableBytes(taps.of(picture.height(), picture.toHeight())));
    }
    return bytes;
  }

  private static long tableBytes(ResizeTaps taps) {
    return (long) Integer.BYTES * taps.table().length;
  }

  private static long values(PatchShape shape, UploadRing ring, LongUnaryOperator memory) {
    long address = memory.applyAsLong(VALUES_BYTES);
    for (int channel = 0; channel < CHANNELS; channel++) {
      long at = address + 256L * Float.BYTES * channel;
      ring.upload(shape.values()[channel], 0, 256, DType.F32, at);
    }
    return address;
  }

  private static void check(PlacedPicture picture, PatchShape shape, long patches) {
    int group = shape.groupSize();
    int width = picture.toWidth();
    int height = picture.toHeight();
    if (width < 1 || height < 1 || width % group != 0 || height % group != 0) {
      throw new IllegalArgumentException(
          "patches: a picture to be resized to %dx%d pixels; expected multiples of %d"
              .formatted(width, height, group));
    }
    int pairs = (picture.endFrame() - 1) / shape.framesPerPatch() + 1;
    long perPair = (long) (width / shape.patchSize()) * (height / shape.patchSize());
    if (picture.firstPatch() + pairs * perPair > patches) {
      throw new IllegalArgumentException(
          "patches: %d pairs of %d patches from patch %d on; expected them within the %d of out"
              .formatted(pairs, perPair, picture.firstPatch(), patches));
    }
  }

  /** What one call brings to the device. */
  private final class Pass {
    private final UploadRing ring;
    private final LongUnaryOperator memory;
    private final Map<Long, Long> tapAddresses = new HashMap<>();
    private final List<ByteBuffer> rows = new ArrayList<>();
    private int mostNarrowed; // pixels that a thread of resize_columns makes
    private int mostPlaced;

    Pass(UploadRing ring, LongUnaryOperator memory) {
      this.ring = ring;
      this.memory = memory;
    }

    void add(PlacedPicture picture) {
      int width = picture.toWidth();
      int height = picture.toHeight();
      long pixels = memory.applyAsLong(picture.rgb().length);
      ring.upload(picture.rgb(), pixels);
      boolean narrow = picture.width() != width;
      int between = Math.multiplyExact(picture.height(), width);
      if (narrow) {
        mostNarrowed = Math.max(mostNarrowed, between);
      }
      mostPlaced = Math.max(mostPlaced, Math.multiplyExact(width, height));
      ResizeTaps columns = taps.of(picture.width(), width);
      ResizeTaps lines = taps.of(picture.height(), height);
      rows.add(
          ByteBuffer.allocate(PICTURE_BYTES)
              .order(ByteOrder.nativeOrder())
              .putLong(pixels)
              .putLong(narrow ? memory.applyAsLong((long) CHANNELS * between) : pixels)
              .putLong(address(columns, picture.width(), width))
              .putLong(address(lines, picture.height(), height))
              .putLong(picture.firstPatch())
              .putInt(picture.width())
              .putInt(picture.height())
              .putInt(width)
              .putInt(height)
              .putInt(columns.stride())
              .putInt(lines.stride())
              .putInt(picture.firstFrame())
              .putInt(picture.endFrame())
              .clear());
    }

    private long address(ResizeTaps table, int inputs, int outputs) {
      return tapAddresses.computeIfAbsent(
          (long) inputs << 32 | outputs,
          pair -> {
            long address = memory.applyAsLong(tableBytes(table));
            ring.upload(table.table(), address);
            return address;
          });
    }

    /** Address of the array of {@code struct Picture}. */
    long table() {
      long address = memory.applyAsLong((long) PICTURE_BYTES * rows.size());
      for (int i = 0; i < rows.size(); i++) {
        ring.upload(rows.get(i), address + (long) PICTURE_BYTES * i);
      }
      return address;
    }
  }
}
