// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RecordingCutTest {
  @Test
  void keepsBeginningAndEndAndCountsWhatItKeeps() {
    long seed = 20261120;
    Random random = new Random(seed);
    for (int i = 0; i < 1000; i++) {
      RecordingCut cut =
          new RecordingCut(1 + random.nextInt(50), random.nextInt(20), 1 + random.nextInt(40));
      long[] kept = LongStream.range(0, cut.chunks()).filter(cut::keeps).toArray();
      long[] expected =
          LongStream.range(0, cut.chunks())
              .filter(c -> c < cut.sink() || c >= cut.chunks() - cut.window())
              .toArray();
      assertThat(kept).as("seed %d, %s", seed, cut).isEqualTo(expected).hasSize((int) cut.kept());
      assertThat(cut.leftOutTo().orElse(0) - cut.leftOutFrom().orElse(0))
          .as("seed %d, %s", seed, cut)
          .isEqualTo(cut.chunks() - cut.kept());
    }
  }

  @Test
  void leavesNothingOutOfAWindowLongerThanTheRecording() {
    RecordingCut cut = new RecordingCut(7, Long.MAX_VALUE, Long.MAX_VALUE);
    assertThat(cut.cuts()).isFalse();
    assertThat(cut.kept()).isEqualTo(7);
  }

  @Test
  void wantsARecordingAndAWindow() {
    assertThatThrownBy(() -> new RecordingCut(0, 0, 1)).hasMessageContaining("0 chunks");
    assertThatThrownBy(() -> new RecordingCut(5, -1, 1)).hasMessageContaining("the first -1");
    assertThatThrownBy(() -> new RecordingCut(5, 1, 0)).hasMessageContaining("the last 0");
  }
}
