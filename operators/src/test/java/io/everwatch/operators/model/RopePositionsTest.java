// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.cache.VideoGrid;
import java.util.List;
import org.junit.jupiter.api.Test;

class RopePositionsTest {
  private static final int PICTURE = 98;
  private static final int CLIP = 99;
  private static final ModelTokens TOKENS = new ModelTokens(95, 96, PICTURE, CLIP, List.of(88));

  @Test
  void textGoesOnBehindTheLargestCoordinate() {
    VideoGrid grid = new VideoGrid(2, 1, 1, 2.5f);

    RopePositions quantised =
        RopePositions.of(new int[] {1, CLIP, CLIP, 2}, TOKENS, List.of(), List.of(grid), true);
    RopePositions exact =
        RopePositions.of(new int[] {1, CLIP, CLIP, 2}, TOKENS, List.of(), List.of(grid), false);

    assertThat(quantised.positions()[0]).containsExactly(0, 1, 3, 4);
    assertThat(quantised.positions()[1]).containsExactly(0, 1, 1, 4);
    assertThat(quantised.next()).isEqualTo(5);
    assertThat(quantised.delta()).isEqualTo(1);
    assertThat(exact.positions()[0]).containsExactly(0, 1, 3.5f, 4.5f);
  }

  @Test
  void refusesPadsThatDoNotFitTheirGrids() {
    VideoGrid two = new VideoGrid(1, 1, 2, 0);
    assertUnmatched(new int[] {1, PICTURE}, List.of(two), "pads end at index 2, 1 before");
    assertUnmatched(new int[] {PICTURE, CLIP}, List.of(two), "pads end at index 1, 1 before");
    assertUnmatched(new int[] {PICTURE}, List.of(), "pads at index 0 without a grid");
    assertUnmatched(new int[] {1}, List.of(two), "grids are left over");
  }

  private static void assertUnmatched(int[] ids, List<VideoGrid> pictures, String message) {
    assertThatThrownBy(() -> RopePositions.of(ids, TOKENS, pictures, List.of(), true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
