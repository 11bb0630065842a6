// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.cache.ContiguousPositions;
import io.everwatch.operators.cache.FakeStream;
import io.everwatch.operators.cache.RetentionWindow;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.cache.StreamingVlmPolicy;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Gap;
import io.everwatch.operators.chunk.ChunkAssembler;
import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.operators.chunk.Frame;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A day and more of a bad camera, from frames to positions: what a stream does, without a model.
 */
class StreamOnIntegersTest {
  private static final int CHUNKS = 100_000;
  private static final int MAX_WORDS = 6;
  private static final VideoGrid GRID = new VideoGrid(1, 2, 3, 2f);
  private static final RetentionWindow WINDOW = new RetentionWindow(4, 6, true, 8, 12);
  private static final ChunkSettings SETTINGS =
      new ChunkSettings(1_000_000, 2, 2_000_000, 4_000_000, 10_000_000);

  /** Head, query, text, and of every round in a window frame, marker, vision and words. */
  private static final int ROW_LIMIT = 17 + 5 + 8 + 12 + 6 * (19 + 8 + MAX_WORDS + 2);

  private final Random random = new Random(20);
  private final ChunkAssembler<Boolean> assembler = ChunkAssembler.start(SETTINGS);
  private final FakeStream stream =
      new FakeStream(new StreamingVlmPolicy(WINDOW, FakeStream.TOKENS), GRID);
  private long rounds;
  private long nextChunk;
  private long received;
  private long dead;
  private int resets;
  private int drops;

  @Test
  void remembersABoundedPastOfAnEndlessStream() {
    long time = 1_700_000_000_000_000L;
    long sequence = 0;
    long offered = 0;
    while (nextChunk < CHUNKS) {
      int fault = random.nextInt(2000);
      time += 500_000 + random.nextLong(-80_000, 80_001);
      time += fault == 0 ? random.nextLong(9_000_000) : 0; // a pause
      time += fault == 1 ? 3_600_000_000L : 0; // the clock is set
      sequence = fault == 2 ? 0 : sequence + (fault < 20 ? 2 : 1); // a restart; lost frames
      take(new Frame<>(sequence, time, -1, true));
      offered++;
      if (fault > 1990) {
        take(new Frame<>(sequence, time, -1, false));
        offered++;
      }
      assertThat(received + dead + assembler.pending()).isEqualTo(offered);
    }

    assertThat(rounds).isEqualTo(stream.round()).isGreaterThan(CHUNKS / 2);
    assertThat(resets).isPositive();
    assertThat(drops).isGreaterThan(resets);
  }

  private void take(Frame<Boolean> frame) {
    for (Assembled<Boolean> event : assembler.offer(frame)) {
      if (event instanceof Chunk<Boolean> chunk) {
        assertThat(chunk.index()).isEqualTo(nextChunk++);
        assertThat(chunk.frames()).hasSize(2).allMatch(Frame::payload);
        received += chunk.counts().received();
        resets += chunk.clockReset() ? 1 : 0;
        round(chunk.dropVision());
      } else if (event instanceof Gap<Boolean> gap) {
        assertThat(gap.first()).isEqualTo(nextChunk);
        nextChunk = gap.last() + 1;
      } else {
        dead++;
      }
    }
  }

  private void round(boolean dropVision) {
    if (dropVision) {
      drops++;
      stream.dropVision();
      assertThat(stream.memory().slices().stream().map(Slice::kind))
          .doesNotContain(SegmentKind.VISION);
    }
    StreamMemory memory = stream.ask();
    float[][] positions = new ContiguousPositions().positions(memory);
    int rows = memory.rows();
    assertThat(rows).isLessThanOrEqualTo(ROW_LIMIT);
    assertThat(positions[0]).hasSize(rows);
    assertThat(positions[0][rows - 1]).isLessThan(rows);
    int words = random.nextInt(MAX_WORDS + 1);
    int[] turn = random.ints(words + 2, 100, 900).toArray();
    turn[words] = FakeStream.PAUSE;
    turn[words + 1] = FakeStream.END;
    stream.answer(turn);
    rounds++;
  }
}
