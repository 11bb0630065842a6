// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelection.Probe;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.cuda.SparseStage.Part;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Masses that are equal, or nearly: what a threshold search decides by its last bits. */
@RequiresDevice
class CudaSparseTiesTest {
  private static final long SEED = SparseCase.SEED;

  private static void assertSameChoice(SparseInput input, SparseCase one, DType dtype) {
    try (CudaDevice device = CudaDevice.open(0)) {
      Part part = new Part(input, one.queries(), one.settings());
      BlockSelection selection =
          SparseCase.attend(device, dtype, one.shape(), SEED, part).get(0).chosen();
      for (int head = 0; head < one.shape().heads(); head++) {
        Head expected = input.choose(one.settings(), head, one.grid(), 0, 0);
        Head actual = selection.heads().get(head);
        assertThat(expected.pattern()).isEqualTo(Pattern.QUERY_AWARE);
        assertThat(actual.pattern()).isEqualTo(Pattern.QUERY_AWARE);
        assertThat(actual.mask()).as("head %d", head).isEqualTo(expected.mask());
        assertThat(actual.probe().orElseThrow().columnTokens())
            .as("head %d: columns that cover", head)
            .isCloseTo(expected.probe().orElseThrow().columnTokens(), within(1));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void equalCellsAndMassesAreTakenInTheirOrder(DType dtype) {
    FlexPrefill few = new FlexPrefill(32, 0.65, 1, 32, 0, false);
    SparseCase alike = SparseCase.of(2, 1, 32, 150, 470, few);
    assertSameChoice(
        new SparseInput(alike.shape(), dtype, alike.keys(), SEED).askingForNothing(), alike, dtype);
    // The same cell of each row block holds all of its mass: the earlier rows get theirs.
    SparseCase one = SparseCase.of(2, 1, 32, 310, 470, few);
    SparseInput input =
        new SparseInput(one.shape(), dtype, one.keys(), SEED).askingForRows(96, 32, dtype);
    assertSameChoice(input, one, dtype);
    BlockMask mask = input.choose(few, 0, one.grid(), 0, 0).mask();
    assertThat(IntStream.range(0, mask.rows()).mapToObj(row -> mask.has(row, 3)))
        .as("chosen of block 3")
        .containsSequence(true, true, true, true, true, true, false, false, false);
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void massesThatDifferInTheirLastBitsAreToldApart(DType dtype) {
    SparseCase one = SparseCase.of(6, 2, 32, 60, 1900, new FlexPrefill(32, 0.8, 0, 640, 0, false));
    SparseInput input = new SparseInput(one.shape(), dtype, one.keys(), SEED).askingFaintly(dtype);
    try (CudaDevice device = CudaDevice.open(0)) {
      Part part = new Part(input, one.queries(), one.settings());
      BlockSelection selection =
          SparseCase.attend(device, dtype, one.shape(), SEED, part).get(0).chosen();
      for (Head head : selection.heads()) {
        Probe probe = head.probe().orElseThrow();
        assertThat(probe.columns())
            .containsExactly(SparseCase.heaviest(probe.columnMass(), probe.columnBudget()));
        assertThat(probe.offsets())
            .containsExactly(SparseCase.heaviest(probe.offsetMass(), probe.offsetBudget()));
        assertThat(probe.columnBudget()).isLessThan(one.grid().blocks());
      }
    }
  }
}
