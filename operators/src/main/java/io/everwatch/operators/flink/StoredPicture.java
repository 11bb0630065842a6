// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** The stored form of a picture. */
final class StoredPicture {
  private StoredPicture() {}

  static void write(EncodedFrame frame, DataOutputView out) throws IOException {
    out.writeByte(code(frame.encoding()));
    out.writeInt(frame.width());
    out.writeInt(frame.height());
    Fields.writeBytes(frame.bytes(), out);
  }

  static EncodedFrame read(DataInputView in) throws IOException {
    return new EncodedFrame(
        encoding(in.readUnsignedByte()), in.readInt(), in.readInt(), Fields.readBytes(in));
  }

  private static int code(Encoding encoding) {
    return switch (encoding) {
      case JPEG -> 1;
      case PNG -> 2;
      case RGB24 -> 3;
    };
  }

  private static Encoding encoding(int code) throws IOException {
    return switch (code) {
      case 1 -> Encoding.JPEG;
      case 2 -> Encoding.PNG;
      case 3 -> Encoding.RGB24;
      default -> throw new IOException("stored picture is damaged: encoding " + code);
    };
  }
}
