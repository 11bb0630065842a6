// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.RoundResult;
import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * The rows that have come into a stream's memory since it began: what full attention would hold.
 * Counted as each round is answered, and stored with the stream, so that it goes on through a
 * restore and a rebuild.
 *
 * @param fromRound the first round that was counted
 */
record ComputedRows(long rows, long fromRound) {
  static final ComputedRows NONE = new ComputedRows(0, 0);

  /** Of a stream in a layout without this count. */
  static final ComputedRows UNKNOWN = new ComputedRows(-1, -1);

  /** With the rows of a round that was made. What came before it and is held counts in any case. */
  ComputedRows with(RoundResult round) {
    return fromRound < 0
        ? new ComputedRows(round.session().memory().rows(), round.round())
        : new ComputedRows(rows + round.enteredRows(), fromRound);
  }

  static void write(ComputedRows computed, DataOutputView out) throws IOException {
    out.writeLong(computed.rows);
    out.writeLong(computed.fromRound);
  }

  static ComputedRows read(DataInputView in) throws IOException {
    return new ComputedRows(in.readLong(), in.readLong());
  }
}
