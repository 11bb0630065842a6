// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.model.EncodedFrame;
import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * What chunk assembly carries along with each frame: where it came from, and its picture. The
 * picture lies in the heap, in state under a number of its own ({@link StoredPictures}), or in
 * both; whatever is stored of a stream refers to it by the number, so that each picture is written
 * once and no stored value grows with the pictures.
 */
final class SourcedFrame {
  private static final long NOT_STORED = -1;

  /** Beyond it no time of arrival is believed: the year 9999. */
  private static final long MAX_MILLIS = 253_402_300_799_999L;

  private final Origin origin;
  private final long arrivalMillis;
  private final int sizeBytes;
  private long number;
  private @Nullable EncodedFrame picture;

  private SourcedFrame(
      Origin origin,
      long arrivalMillis,
      int sizeBytes,
      long number,
      @Nullable EncodedFrame picture) {
    this.origin = origin;
    this.arrivalMillis = arrivalMillis;
    this.sizeBytes = sizeBytes;
    this.number = number;
    this.picture = picture;
  }

  /** A frame that has just come. */
  SourcedFrame(EncodedFrame picture, Origin origin, long arrivalMillis) {
    this(origin, arrivalMillis, picture.bytes().length, NOT_STORED, picture);
  }

  /** A frame whose picture is in state. */
  static SourcedFrame stored(long number, int sizeBytes, Origin origin, long arrivalMillis) {
    return new SourcedFrame(origin, arrivalMillis, sizeBytes, number, null);
  }

  Origin origin() {
    return origin;
  }

  /** When the broker had it, or the source read it; milliseconds since the epoch. */
  long arrivalMillis() {
    return arrivalMillis;
  }

  /** Of the encoded picture, wherever it lies. */
  int sizeBytes() {
    return sizeBytes;
  }

  boolean isStored() {
    return number != NOT_STORED;
  }

  boolean inHeap() {
    return picture != null;
  }

  /** Under which the picture lies in state. */
  long number() {
    if (number == NOT_STORED) {
      throw new IllegalStateException("the picture of %s is not stored".formatted(origin));
    }
    return number;
  }

  EncodedFrame picture() {
    EncodedFrame found = picture;
    if (found == null) {
      throw new IllegalStateException(
          "picture %d of %s was not loaded from state".formatted(number, origin));
    }
    return found;
  }

  /** The picture lies in state from now on, in the heap as before. */
  void stored(long at) {
    number = at;
  }

  /** The picture was read from state. */
  void loaded(EncodedFrame found) {
    picture = found;
  }

  /** Leaves the picture to the state alone. */
  void dropFromHeap() {
    if (isStored()) {
      picture = null;
    }
  }

  /** The frame that carries it. */
  Frame<SourcedFrame> frame(long sequence, long captureMicros) {
    boolean known = arrivalMillis >= 0 && arrivalMillis <= MAX_MILLIS;
    return new Frame<>(
        sequence, captureMicros, known ? arrivalMillis * 1000 : Frame.ARRIVAL_UNKNOWN, this);
  }

  static void write(SourcedFrame frame, DataOutputView out) throws IOException {
    out.writeLong(frame.number());
    out.writeInt(frame.sizeBytes);
    Origin.write(frame.origin, out);
    out.writeLong(frame.arrivalMillis);
  }

  static SourcedFrame read(DataInputView in) throws IOException {
    long number = in.readLong();
    int sizeBytes = in.readInt();
    return stored(number, sizeBytes, Origin.read(in), in.readLong());
  }

  /** The earlier layout, with the picture inside. */
  static SourcedFrame readWhole(DataInputView in) throws IOException {
    return new SourcedFrame(StoredPicture.read(in), Origin.read(in), in.readLong());
  }
}
