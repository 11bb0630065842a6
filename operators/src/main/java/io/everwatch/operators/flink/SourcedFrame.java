// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.EncodedFrame;
import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** What chunk assembly carries along with each frame: the picture, and where it came from. */
record SourcedFrame(EncodedFrame picture, Origin origin, long arrivalMillis) {
  static void write(SourcedFrame frame, DataOutputView out) throws IOException {
    StoredPicture.write(frame.picture, out);
    Origin.write(frame.origin, out);
    out.writeLong(frame.arrivalMillis);
  }

  static SourcedFrame read(DataInputView in) throws IOException {
    return new SourcedFrame(StoredPicture.read(in), Origin.read(in), in.readLong());
  }
}
