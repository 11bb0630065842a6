// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.RoundInput;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Consecutive chunks of a stream that one round takes up: the model looks at all of them and
 * answers the last (docs/adr/0013).
 */
public record MergedChunks(long first, long last) implements Serializable {
  public MergedChunks {
    if (first < 0 || last <= first) {
      throw new IllegalArgumentException(
          "chunks %d to %d; expected at least two, from 0 or more on".formatted(first, last));
    }
  }

  /** Those of a round; empty: it has one. */
  static Optional<MergedChunks> of(RoundInput round) {
    List<RoundInput> earlier = round.earlier();
    return earlier.isEmpty()
        ? Optional.empty()
        : Optional.of(new MergedChunks(earlier.get(0).chunk(), round.chunk()));
  }

  static void write(MergedChunks merged, DataOutputView out) throws IOException {
    out.writeLong(merged.first);
    out.writeLong(merged.last);
  }

  static MergedChunks read(DataInputView in) throws IOException {
    return new MergedChunks(in.readLong(), in.readLong());
  }
}
