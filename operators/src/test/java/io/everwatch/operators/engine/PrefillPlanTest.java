// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.PrefillPlan.Piece;
import io.everwatch.operators.model.PrefillSettings;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PrefillPlanTest {
  private static List<Piece> pieces(int cached, int prompt, int longest) {
    return PrefillPlan.of(cached, prompt, Prefills.inPieces(longest)).pieces();
  }

  @Test
  void leavesAPromptWholeThatIsNoLongerThanAPiece() {
    assertThat(pieces(0, 1, 128)).containsExactly(new Piece(0, 1));
    assertThat(pieces(77, 128, 128)).containsExactly(new Piece(0, 128));
    assertThat(PrefillPlan.of(5, 2048, PrefillSettings.DEFAULT).pieces()).hasSize(1);
    assertThat(PrefillPlan.of(5, 2049, PrefillSettings.DEFAULT).pieces()).hasSize(2);
  }

  @Test
  void cutsWhereTheRowOfTheListIsAMultipleOf128() {
    assertThat(pieces(100, 700, 256))
        .containsExactly(
            new Piece(0, 156), new Piece(156, 412), new Piece(412, 668), new Piece(668, 700));
  }

  @Test
  void coversEveryRowOnceWithPiecesThatAreShortEnough() {
    Random random = new Random(11);
    for (int n = 0; n < 5_000; n++) {
      int cached = random.nextInt(3_000);
      int prompt = 1 + random.nextInt(5_000);
      int longest = 128 * (1 + random.nextInt(8));
      List<Piece> pieces = pieces(cached, prompt, longest);
      int row = 0;
      for (Piece piece : pieces) {
        assertThat(piece.from()).isEqualTo(row);
        assertThat(piece.rows()).isBetween(1, longest);
        row = piece.to();
        assertThat(row == prompt || (cached + row) % 128 == 0)
            .as("%d cached, %d new, pieces of %d: %s", cached, prompt, longest, pieces)
            .isTrue();
      }
      assertThat(row).isEqualTo(prompt);
      assertThat(pieces.size()).isLessThanOrEqualTo(2 + prompt / longest);
    }
  }
}
