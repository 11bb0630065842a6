// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ContiguousPositionsTest {
  private final PositionMode mode = new ContiguousPositions();

  @Test
  void countsTheWorkedExampleBeforeCompaction() {
    StreamMemory memory = toy(false);

    float[][] positions = mode.positions(memory);

    assertThat(memory.rows()).isEqualTo(29);
    assertThat(positions[0])
        .containsExactly(
            0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 10, 11, 12, 13, 14, 15, 16, 16, 16, 16, 16, 16,
            19, 20, 21, 22);
    assertThat(positions[1])
        .containsExactly(
            0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 8, 8, 8, 10, 11, 12, 13, 14, 15, 16, 16, 16, 17, 17, 17,
            19, 20, 21, 22);
    assertThat(positions[2])
        .containsExactly(
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 16, 17, 18,
            19, 20, 21, 22);
  }

  @Test
  void countsTheWorkedExampleAfterCompaction() {
    StreamMemory memory = toy(true);

    float[][] positions = mode.positions(memory);

    assertThat(memory.rows()).isEqualTo(18);
    assertThat(positions[0])
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8, 8, 11, 12, 13, 14);
    assertThat(positions[1])
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 9, 9, 9, 11, 12, 13, 14);
    assertThat(positions[2])
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 8, 9, 10, 11, 12, 13, 14);
  }

  @Test
  void shiftsEverySurvivingRunByOneScalarOnAllAxes() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      VideoGrid grid =
          new VideoGrid(1 + random.nextInt(4), 1 + random.nextInt(4), 1 + random.nextInt(4), 0.5f);
      RetentionWindow window =
          new RetentionWindow(
              2 + random.nextInt(3),
              1 + random.nextInt(4),
              true,
              random.nextInt(5),
              random.nextInt(5));
      StreamingVlmPolicy policy = new StreamingVlmPolicy(window, FakeStream.TOKENS);
      FakeStream stream = new FakeStream(policy, grid);
      for (int round = 0; round < 12; round++) {
        stream.ask(50, 51, 52);
        stream.answer(
            IntStream.concat(random.ints(random.nextInt(4), 100, 900), IntStream.of(1, 2))
                .toArray());
        StreamMemory before = stream.memory();
        StreamMemory after = policy.compact(before, stream.round());
        assertShifted("seed %d, round %d".formatted(seed, round), before, after);
        float[] times = mode.positions(after)[0];
        assertThat(ContiguousPositions.last(after))
            .as("seed %d, round %d", seed, round)
            .isEqualTo(times[times.length - 1]);
      }
    }
  }

  @Test
  void keepsFractionsOfTimeInTheTextBehindAClip() {
    // 8 frames per second, a clip longer in time than wide: N continues behind the last time.
    StreamMemory memory = memory(text(0, 2), clip(1, new VideoGrid(4, 1, 1, 0.5f)), text(2, 2));

    assertThat(mode.positions(memory)[0])
        .containsExactly(0, 1, 2, 3, 3.5f, 4, 4.5f, 5.5f, 6.5f, 7.5f);
    assertThat(mode.positions(memory)[1]).containsExactly(0, 1, 2, 3, 3, 3, 3, 5.5f, 6.5f, 7.5f);
  }

  @Test
  void theLastPositionOfNothingIsZero() {
    assertThat(ContiguousPositions.last(StreamMemory.EMPTY)).isZero();
  }

  @Test
  void multipliesTimesInSinglePrecision() {
    float step = 2f / 3f * 2f;
    StreamMemory memory = memory(text(0, 1000), clip(1, new VideoGrid(3, 1, 1, step)));

    assertThat(mode.positions(memory)[0][1003])
        .isEqualTo((float) (1001 + (double) (2 * step)))
        .isEqualTo(1003.6667f);
  }

  @Test
  void refusesAClipWithoutItsMarkersOrGrid() {
    Slice clip = clip(0, new VideoGrid(1, 2, 3, 2f));
    Slice cut = new Slice(clip.segment(), 1, 8, SegmentKind.VISION, 0);
    Segment without = new Segment(3, SegmentKind.VISION, 0, new int[8], null);

    assertThatThrownBy(() -> mode.positions(memory(cut)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[1, 8)")
        .hasMessageContaining("6 pads");
    assertThatThrownBy(() -> mode.positions(memory(Slice.whole(without))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("segment 3")
        .hasMessageContaining("no grid");
  }

  private void assertShifted(String at, StreamMemory before, StreamMemory after) {
    float[][] old = mode.positions(before);
    float[][] now = mode.positions(after);
    Map<String, Integer> place = new HashMap<>();
    int row = 0;
    for (Slice slice : before.slices()) {
      for (int i = slice.from(); i < slice.to(); i++) {
        place.put(slice.segment().id() + ":" + i, row++);
      }
    }
    row = 0;
    for (Slice slice : after.slices()) {
      int first = place.getOrDefault(slice.segment().id() + ":" + slice.from(), -1);
      float shift = now[0][row] - old[0][first];
      for (int i = slice.from(); i < slice.to(); i++, row++) {
        int was = place.getOrDefault(slice.segment().id() + ":" + i, -1);
        for (int axis = 0; axis < 3; axis++) {
          assertThat(now[axis][row] - old[axis][was]).as(at).isEqualTo(shift);
        }
      }
    }
  }

  /** StreamingVLM §8.3: two rounds, or the second alone with the word of the first moved. */
  private static StreamMemory toy(boolean compacted) {
    VideoGrid grid = new VideoGrid(1, 2, 3, 2f);
    List<Slice> slices = new ArrayList<>(List.of(text(0, 2), text(1, 2)));
    if (compacted) {
      slices.add(new Slice(text(9, 4).segment(), 1, 2, SegmentKind.MEMORY, -1));
    }
    slices.add(text(2, 1));
    for (int round = compacted ? 1 : 0; round < 2; round++) {
      // The toy counts start and end marker among the two before the pads and the four behind.
      slices.add(text(10 + round, 1));
      slices.add(clip(20 + round, grid));
      slices.add(text(30 + round, 3));
    }
    return memory(slices.toArray(Slice[]::new));
  }

  private static StreamMemory memory(Slice... slices) {
    return new StreamMemory(List.of(slices), 0);
  }

  private static Slice text(long id, int rows) {
    return Slice.whole(new Segment(id, SegmentKind.GENERATED, 0, new int[rows], null));
  }

  private static Slice clip(long id, VideoGrid grid) {
    return Slice.whole(new Segment(id, SegmentKind.VISION, 0, new int[grid.tokens() + 2], grid));
  }
}
