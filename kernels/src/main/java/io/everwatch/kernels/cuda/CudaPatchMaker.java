// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.PatchMaker;
import io.everwatch.kernels.PatchShape;
import io.everwatch.kernels.PlacedPicture;
import java.util.List;

/** Makes patches of pictures in the memory of a step. */
final class CudaPatchMaker implements PatchMaker {
  private final CudaStream stream;
  private final UploadRing ring;
  private final DType dtype;
  private final CudaPictures pictures;

  /**
   * @param ring of {@code stream}
   * @param dtype of the patches
   */
  CudaPatchMaker(CudaStream stream, UploadRing ring, DType dtype) {
    this.stream = stream;
    this.ring = ring;
    this.dtype = dtype;
    this.pictures = new CudaPictures(stream.device(), dtype);
  }

  @Override
  public void patches(List<PlacedPicture> placed, PatchShape shape, Arena arena, DeviceBuffer out) {
    stream.device().enter();
    CudaArena mine = CudaArena.of(arena, "patches");
    long to = CudaBuffer.of(out, "patches", "out", 0, dtype);
    long patches = out.elements() / shape.columns();
    pictures.patches(stream, placed, shape, ring, mine::take, to, patches);
  }

  @Override
  public long arenaBytes(List<PlacedPicture> placed) {
    return pictures.bytes(placed);
  }
}
