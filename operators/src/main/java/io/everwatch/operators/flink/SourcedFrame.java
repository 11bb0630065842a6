// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.model.EncodedFrame;
import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** What chunk assembly carries along with each frame: the picture, and where it came from. */
record SourcedFrame(EncodedFrame picture, Origin origin, long arrivalMillis) {
  /** Beyond it no time of arrival is believed: the year 9999. */
  private static final long MAX_MILLIS = 253_402_300_799_999L;

  /** The frame that carries it. */
  Frame<SourcedFrame> frame(long sequence, long captureMicros) {
    boolean known = arrivalMillis >= 0 && arrivalMillis <= MAX_MILLIS;
    return new Frame<>(
        sequence, captureMicros, known ? arrivalMillis * 1000 : Frame.ARRIVAL_UNKNOWN, this);
  }

  static void write(SourcedFrame frame, DataOutputView out) throws IOException {
    StoredPicture.write(frame.picture, out);
    Origin.write(frame.origin, out);
    out.writeLong(frame.arrivalMillis);
  }

  static SourcedFrame read(DataInputView in) throws IOException {
    return new SourcedFrame(StoredPicture.read(in), Origin.read(in), in.readLong());
  }
}
