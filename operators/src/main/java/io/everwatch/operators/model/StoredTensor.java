// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A tensor of a mapped file. Thread-safe. */
public final class StoredTensor implements TensorSource {
  /**
   * Bytes of one mapping, which Java indexes with an int; a multiple of every element size, so that
   * no element lies in two.
   */
  private static final long WINDOW = 1L << 30;

  private static final int SCRATCH = 4096;

  private final SafetensorsHeader.Entry entry;
  private final List<ByteBuffer> windows;

  private StoredTensor(SafetensorsHeader.Entry entry, List<ByteBuffer> windows) {
    this.entry = entry;
    this.windows = windows;
  }

  static StoredTensor map(FileChannel channel, long dataStart, SafetensorsHeader.Entry entry)
      throws IOException {
    return map(channel, dataStart, entry, WINDOW);
  }

  /**
   * @param window as {@link #WINDOW}; smaller in tests
   */
  static StoredTensor map(
      FileChannel channel, long dataStart, SafetensorsHeader.Entry entry, long window)
      throws IOException {
    List<ByteBuffer> windows = new ArrayList<>();
    for (long at = entry.begin(); at < entry.end(); at += window) {
      long bytes = Math.min(window, entry.end() - at);
      windows.add(
          channel
              .map(FileChannel.MapMode.READ_ONLY, dataStart + at, bytes)
              .order(ByteOrder.LITTLE_ENDIAN));
    }
    return new StoredTensor(entry, List.copyOf(windows));
  }

  @Override
  public String name() {
    return entry.name();
  }

  @Override
  public List<Long> shape() {
    return entry.shape();
  }

  StoredType type() {
    return entry.type();
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalStateException if the tensor holds integers
   * @throws IndexOutOfBoundsException if the range is not inside tensor and array
   */
  @Override
  public void read(long from, float[] to, int at, int count) {
    if (!type().isReal()) {
      throw new IllegalStateException(
          "%s holds %s; expected a floating-point type".formatted(name(), type()));
    }
    check(from, count);
    Objects.checkFromIndexSize(at, count, to.length);
    forEachPiece(
        from,
        count,
        (bytes, index, offset, length) -> readReals(bytes, index, to, at + offset, length));
  }

  /** The whole tensor as float32. */
  public float[] floats() {
    float[] values = new float[Math.toIntExact(elements())];
    read(0, values, 0, values.length);
    return values;
  }

  /** The whole tensor of an integer type or BOOL (0 or 1); U8 as 0 to 255. */
  public long[] integers() {
    if (type().isReal()) {
      throw new IllegalStateException(
          "%s holds %s; expected an integer type".formatted(name(), type()));
    }
    long[] values = new long[Math.toIntExact(elements())];
    forEachPiece(
        0,
        values.length,
        (bytes, index, offset, length) -> {
          for (int i = 0; i < length; i++) {
            values[offset + i] = integer(bytes, index + i * type().sizeBytes());
          }
        });
    return values;
  }

  private interface Piece {
    /**
     * @param index of the first byte in {@code bytes}
     * @param offset elements of the range before this piece
     */
    void accept(ByteBuffer bytes, int index, int offset, int length);
  }

  private void forEachPiece(long from, int count, Piece piece) {
    int size = type().sizeBytes();
    int done = 0;
    while (done < count) {
      long position = (from + done) * size;
      long window = windows.size() == 1 ? Long.MAX_VALUE : windows.get(0).capacity();
      ByteBuffer bytes = windows.get((int) (position / window));
      int index = (int) (position % window);
      int length = Math.min(count - done, (bytes.capacity() - index) / size);
      piece.accept(bytes, index, done, length);
      done += length;
    }
  }

  private void readReals(ByteBuffer bytes, int index, float[] to, int at, int count) {
    if (type() == StoredType.F32) {
      bytes
          .slice(index, 4 * count)
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(to, at, count);
    } else if (type() == StoredType.F64) {
      for (int i = 0; i < count; i++) {
        to[at + i] = (float) bytes.getDouble(index + 8 * i);
      }
    } else {
      readHalves(bytes, index, to, at, count);
    }
  }

  private void readHalves(ByteBuffer bytes, int index, float[] to, int at, int count) {
    short[] scratch = new short[Math.min(count, SCRATCH)];
    boolean brain = type() == StoredType.BF16;
    for (int done = 0; done < count; done += scratch.length) {
      int length = Math.min(scratch.length, count - done);
      bytes
          .slice(index + 2 * done, 2 * length)
          .order(ByteOrder.LITTLE_ENDIAN)
          .asShortBuffer()
          .get(scratch, 0, length);
      for (int i = 0; i < length; i++) {
        to[at + done + i] =
            brain ? Float.intBitsToFloat(scratch[i] << 16) : HalfFloat.toFloat(scratch[i]);
      }
    }
  }

  private long integer(ByteBuffer bytes, int index) {
    return switch (type()) {
      case I64 -> bytes.getLong(index);
      case I32 -> bytes.getInt(index);
      case I16 -> bytes.getShort(index);
      case I8 -> bytes.get(index);
      case U8, BOOL -> Byte.toUnsignedLong(bytes.get(index));
      case F64, F32, F16, BF16 -> throw new IllegalStateException(type() + " is no integer type");
    };
  }

  private void check(long from, int count) {
    Objects.checkFromIndexSize(from, (long) count, elements());
  }
}
