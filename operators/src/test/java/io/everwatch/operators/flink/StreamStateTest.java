// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.schemas.avro.Mark;
import org.junit.jupiter.api.Test;

class StreamStateTest {
  @Test
  void storesMarksAsTheyAreAtTheCheckpoint() {
    StreamState stream =
        StreamState.start(StreamKey.of("a"), new ChunkSettings(1_000_000, 2, 0, 0, 1), "m", "n");
    stream.marks.add(Mark.REBUILT);
    StoredStream stored = stream.stored();

    stream.marks.clear(); // the next event took them, the checkpoint is still being written

    assertThat(stored.marks()).containsExactly(Mark.REBUILT);
  }
}
