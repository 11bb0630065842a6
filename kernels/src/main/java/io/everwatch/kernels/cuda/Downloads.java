// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import java.nio.ByteBuffer;

/** Copies activations to the host, widened to float32, and waits for them: for tests and traces. */
final class Downloads implements AutoCloseable {
  private static final int BYTES = 1 << 20;

  private final CudaStream stream;
  private final PinnedBuffer buffer;

  Downloads(CudaStream stream) {
    this.stream = stream;
    this.buffer = PinnedBuffer.allocate(stream.device(), BYTES, "downloads");
  }

  /** {@code count} elements of {@code type} at {@code address} to {@code to[at..]}. */
  void download(long address, DType type, float[] to, int at, int count) {
    int size = type.sizeBytes();
    for (int done = 0; done < count; ) {
      int now = Math.min(BYTES / size, count - done);
      stream.download(address + (long) size * done, buffer, 0, (long) size * now);
      stream.synchronize();
      ByteBuffer bytes = buffer.bytes();
      for (int i = 0; i < now; i++) {
        to[at + done + i] =
            type == DType.F32
                ? bytes.getFloat(4 * i)
                : Float.intBitsToFloat(bytes.getShort(2 * i) << 16);
      }
      done += now;
    }
  }

  @Override
  public void close() {
    buffer.close();
  }
}
