// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.operators.engine.PrefillPlan.Piece;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.PrefillSettings.Sparse;
import io.everwatch.operators.model.TuningProfile;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PrefillPlanTest {
  private static List<Piece> pieces(int cached, int prompt, int longest) {
    return PrefillPlan.of(cached, prompt, Prefills.inPieces(longest), null).pieces();
  }

  @Test
  void leavesAPromptWholeThatIsNoLongerThanAPiece() {
    assertThat(pieces(0, 1, 128)).containsExactly(new Piece(0, 1, null));
    assertThat(pieces(77, 128, 128)).containsExactly(new Piece(0, 128, null));
    assertThat(PrefillPlan.of(5, 2048, PrefillSettings.DEFAULT, null).pieces()).hasSize(1);
    assertThat(PrefillPlan.of(5, 2049, PrefillSettings.DEFAULT, null).pieces()).hasSize(2);
  }

  @Test
  void cutsWhereTheRowOfTheListIsAMultipleOf128() {
    assertThat(pieces(100, 700, 256))
        .containsExactly(
            new Piece(0, 156, null),
            new Piece(156, 412, null),
            new Piece(412, 668, null),
            new Piece(668, 700, null));
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

  private static PrefillSettings sparse(Sparse when, int minChunk) {
    return new PrefillSettings(1024, when, 32, 0.9, 0.1, 64, 0, minChunk, false);
  }

  private static List<Boolean> isSparse(
      int cached, int prompt, PrefillSettings settings, @Nullable TuningProfile profile) {
    return PrefillPlan.of(cached, prompt, settings, profile).pieces().stream()
        .map(piece -> piece.selector() != null)
        .toList();
  }

  @Test
  void isSparseWhereTheSettingsSaySoAndThePieceIsLongEnough() {
    assertThat(isSparse(0, 2300, sparse(Sparse.ALWAYS, 512), null))
        .containsExactly(true, true, false); // 252 rows are the rest
    assertThat(isSparse(0, 2300, sparse(Sparse.ALWAYS, 100), null)).containsOnly(true);
    assertThat(isSparse(0, 2300, sparse(Sparse.NEVER, 100), null)).containsOnly(false);
    assertThat(isSparse(0, 60, sparse(Sparse.ALWAYS, 1), null))
        .as("too few keys")
        .containsOnly(false);
    assertThat(PrefillPlan.of(0, 1024, sparse(Sparse.ALWAYS, 512), null).pieces().get(0).selector())
        .isEqualTo(new FlexPrefill(32, 0.9, 0.1, 64, 0, false));
  }

  @Test
  void asksTheTuningProfileWhenItIsToDecide() {
    PrefillSettings auto = sparse(Sparse.AUTO, 512);
    assertThat(isSparse(0, 2300, auto, null)).containsOnly(false);
    double[][] dense = {{10, 40}, {Double.NaN, 80}};
    double[][] faster = {{10, 40}, {Double.NaN, 40}};
    TuningProfile profile =
        new TuningProfile(
            new TuningProfile.Target("device", DType.F32, 4, 2, 32),
            512,
            auto.selector(),
            List.of(512, 1024),
            List.of(512, 1024),
            dense,
            faster,
            dense);
    assertThat(isSparse(0, 2300, auto, profile)).containsExactly(true, true, false);
    assertThat(isSparse(0, 900, auto, profile)).containsExactly(false);
    assertThat(isSparse(0, 2300, sparse(Sparse.NEVER, 1), profile)).containsOnly(false);
    PrefillSettings own = new PrefillSettings(0, Sparse.NEVER, 32, 0.9, 0.1, 64, 0, 512, false);
    assertThat(PrefillPlan.of(0, 1024, own, profile).pieces()).as("its pieces").hasSize(2);
  }
}
