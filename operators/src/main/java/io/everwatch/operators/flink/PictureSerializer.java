// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** A picture that is a value of its own. */
final class PictureSerializer extends VersionedSerializer<EncodedFrame> {
  private static final long serialVersionUID = 1;

  @Override
  int version() {
    return 1;
  }

  @Override
  String what() {
    return "picture";
  }

  @Override
  void write(EncodedFrame frame, DataOutputView out) throws IOException {
    StoredPicture.write(frame, out);
  }

  @Override
  EncodedFrame read(int version, DataInputView in) throws IOException {
    return StoredPicture.read(in);
  }

  @Override
  public EncodedFrame createInstance() {
    return new EncodedFrame(Encoding.JPEG, 0, 0, new byte[0]);
  }

  @Override
  public SnapshotOfPictures snapshotConfiguration() {
    return new SnapshotOfPictures();
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfPictures extends Snapshot<EncodedFrame> {
    public SnapshotOfPictures() {
      super(PictureSerializer::new);
    }
  }
}
