// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import java.io.Serializable;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * Where a record lay.
 *
 * @param key the record's key as it was; null: it had none
 */
public record Origin(String topic, int partition, long offset, byte @Nullable [] key)
    implements Serializable {
  /** The place alone. */
  Origin withoutKey() {
    return new Origin(topic, partition, offset, null);
  }

  static void write(Origin origin, DataOutputView out) throws IOException {
    Fields.writeString(origin.topic, out);
    out.writeInt(origin.partition);
    out.writeLong(origin.offset);
    Fields.writeOptional(origin.key, out);
  }

  static Origin read(DataInputView in) throws IOException {
    return new Origin(
        Fields.readString(in).intern(), in.readInt(), in.readLong(), Fields.readOptional(in));
  }
}
