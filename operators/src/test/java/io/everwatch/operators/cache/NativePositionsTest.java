// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NativePositionsTest {
  private static final long SEED = 5;
  private static final VideoGrid GRID = new VideoGrid(2, 3, 4, 2f);

  private final PositionMode nativeMode = new NativePositions();
  private final Random random = new Random(SEED);

  @Test
  void areTheContiguousOnesUntilSomethingIsEvicted() {
    FakeStream stream = stream(100, 100);
    for (int round = 0; round < 10; round++) {
      StreamMemory memory = stream.ask(50, 51, 52);
      assertThat(nativeMode.positions(memory))
          .as("round %d, seed %d", round, SEED)
          .isDeepEqualTo(new ContiguousPositions().positions(memory));
      answer(stream);
    }
  }

  /** StreamingVLM §8.2, append: nothing moves, and the end goes on as if all were still there. */
  @Test
  void stayForEveryRowWhileTheMemoryIsCutAndWordsMove() {
    FakeStream stream = stream(3, 2);
    FakeStream whole = stream(100, 100);
    Map<String, Float> entered = new HashMap<>();
    for (int round = 0; round < 30; round++) {
      StreamMemory memory = stream.ask(50, 51, 52);
      float[] times = nativeMode.positions(memory)[0];
      int row = 0;
      for (Slice slice : memory.slices()) {
        for (int i = slice.from(); i < slice.to(); i++, row++) {
          Float before = entered.putIfAbsent(slice.segment().id() + ":" + i, times[row]);
          assertThat(before == null ? times[row] : before).isEqualTo(times[row]);
        }
      }
      float[] uncut = new ContiguousPositions().positions(whole.ask(50, 51, 52))[0];
      assertThat(times[times.length - 1])
          .as("round %d, seed %d", round, SEED)
          .isEqualTo(uncut[uncut.length - 1]);
      int[] turn = turn();
      stream.answer(turn);
      whole.answer(turn);
    }
    assertThat(stream.memory().rows()).isLessThan(whole.memory().rows() / 3);
  }

  @Test
  void refuseAMemoryThatCameFromASnapshot() {
    Segment restored = new Segment(7, SegmentKind.GENERATED, 3, new int[4], null);
    StreamMemory memory = new StreamMemory(List.of(Slice.whole(restored)), 4);
    assertThatThrownBy(() -> nativeMode.positions(memory))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("segment 7", "round 3")
        .hasMessageContaining("snapshot");
  }

  private static FakeStream stream(int textRounds, int visualRounds) {
    RetentionWindow window = new RetentionWindow(textRounds, visualRounds, true, 4, 6);
    return new FakeStream(new StreamingVlmPolicy(window, FakeStream.TOKENS), GRID);
  }

  private void answer(FakeStream stream) {
    stream.answer(turn());
  }

  private int[] turn() {
    return IntStream.concat(
            random.ints(random.nextInt(5), 100, 900),
            IntStream.of(FakeStream.PAUSE, FakeStream.END))
        .toArray();
  }
}
