// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Page-locked memory through which arrays of the heap go to the device: an upload copies into it
 * and returns, the device takes it from there in the stream's order. A piece of the ring is written
 * again only after the device has read it; then, and only then, an upload waits.
 *
 * <p>One thread at a time, that of the stream.
 */
final class UploadRing implements AutoCloseable {
  private final CudaStream stream;
  private final PinnedBuffer[] pieces;
  private final CudaEvent[] sent;
  private int piece;
  private int used;

  /**
   * @param pieceBytes the largest single copy; longer arrays go in several
   */
  UploadRing(CudaStream stream, int pieces, int pieceBytes) {
    this.stream = stream;
    this.pieces = new PinnedBuffer[pieces];
    this.sent = new CudaEvent[pieces];
    for (int i = 0; i < pieces; i++) {
      this.pieces[i] = PinnedBuffer.allocate(stream.device(), pieceBytes, "upload ring");
      sent[i] = CudaEvent.open(stream.device());
    }
  }

  void upload(byte[] values, long address) {
    for (int at = 0; at < values.length; ) {
      ByteBuffer to = room(1);
      int count = Math.min(to.remaining(), values.length - at);
      to.put(values, at, count);
      send(count, address + at);
      at += count;
    }
  }

  void upload(int[] values, long address) {
    for (int at = 0; at < values.length; ) {
      ByteBuffer to = room(Integer.BYTES);
      int count = Math.min(to.remaining() / Integer.BYTES, values.length - at);
      to.asIntBuffer().put(values, at, count);
      send(Integer.BYTES * count, address + (long) Integer.BYTES * at);
      at += count;
    }
  }

  /** Position to limit, at most one piece. */
  void upload(ByteBuffer values, long address) {
    int count = values.remaining();
    room(count).put(values);
    send(count, address);
  }

  /**
   * Elements {@code [from, from + count)} in {@code type}, F32 or BF16 (rounded to nearest, ties to
   * even).
   */
  void upload(float[] values, int from, int count, DType type, long address) {
    int size = type.sizeBytes();
    for (int done = 0; done < count; ) {
      ByteBuffer to = room(size);
      int now = Math.min(to.remaining() / size, count - done);
      if (type == DType.F32) {
        to.asFloatBuffer().put(values, from + done, now);
      } else {
        for (int i = 0; i < now; i++) {
          to.putShort(Bf16.of(values[from + done + i]));
        }
      }
      send(size * now, address + (long) size * done);
      done += now;
    }
  }

  /** The free rest of the piece that is being filled, at least {@code bytes}, as a new view. */
  private ByteBuffer room(int bytes) {
    int size = pieces[piece].size();
    if (bytes > size) {
      throw new IllegalArgumentException(
          "an upload of %,d bytes in one; expected at most %,d, a piece of the ring"
              .formatted(bytes, size));
    }
    if (used + bytes > size) {
      sent[piece].record(stream);
      piece = (piece + 1) % pieces.length;
      sent[piece].await();
      used = 0;
    }
    ByteBuffer all = pieces[piece].bytes();
    return all.slice(used, size - used).order(all.order());
  }

  private void send(int bytes, long address) {
    stream.upload(pieces[piece], used, address, bytes);
    used = Math.min(pieces[piece].size(), (used + bytes + 15) / 16 * 16);
  }

  @Override
  public void close() {
    Arrays.stream(pieces).forEach(PinnedBuffer::close);
    Arrays.stream(sent).forEach(CudaEvent::close);
  }
}
