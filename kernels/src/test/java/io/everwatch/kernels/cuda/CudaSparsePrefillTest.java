// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelection.Probe;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.cuda.SparseStage.Part;
import io.everwatch.kernels.cuda.SparseStage.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Spans that choose the key blocks they attend to, and those whose blocks are prescribed. */
@RequiresDevice
class CudaSparsePrefillTest {
  private static final long SEED = SparseCase.SEED;

  static Stream<Arguments> cases() {
    return Stream.of(DType.BF16, DType.F32)
        .flatMap(type -> SparseCase.CASES.stream().map(one -> Arguments.of(type, one)));
  }

  // --- against references ---

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("cases")
  void choosesAsTheReferenceAndAttendsToWhatItChose(DType dtype, SparseCase one) {
    Result result = one.attend(dtype);
    SparseInput input = one.part(dtype, SEED).input();
    BlockSelection selection = result.chosen();
    assertThat(selection.grid()).isEqualTo(one.grid());
    for (int head = 0; head < one.shape().heads(); head++) {
      Head actual = selection.heads().get(head);
      assertChosen("head " + head, dtype, input, one, head, actual);
      assertAttended("head " + head, dtype, input, head, actual.mask(), selection, result.out());
    }
  }

  /** Cells on which the reference disagrees with itself under noise of 1e-3 are open. */
  private static void assertChosen(
      String what, DType dtype, SparseInput input, SparseCase one, int head, Head actual) {
    Head exact = input.choose(one.settings(), head, one.grid(), 0, 0);
    boolean bf16 = dtype == DType.BF16;
    Probe probe = actual.probe().orElseThrow();
    Probe expected = exact.probe().orElseThrow();
    assertThat(actual.pattern()).as(what).isEqualTo(exact.pattern());
    assertThat(Math.abs(probe.distance() - expected.distance()))
        .as("%s: distance %s, expected %s", what, probe.distance(), expected.distance())
        .isLessThanOrEqualTo(bf16 ? 5e-3 : 1e-4);
    near(what + ": column mass", probe.columnMass(), expected.columnMass(), bf16 ? 1e-4 : 1e-5);
    near(what + ": offset mass", probe.offsetMass(), expected.offsetMass(), bf16 ? 1e-4 : 1e-5);
    near(what + ": estimate", probe.estimate(), expected.estimate(), bf16 ? 5e-3 : 1e-5);
    assertThat(Math.abs(probe.columnTokens() - expected.columnTokens()))
        .as(what + ": columns that cover")
        .isLessThanOrEqualTo(1);
    assertThat(Math.abs(probe.offsetTokens() - expected.offsetTokens()))
        .as(what + ": distances that cover")
        .isLessThanOrEqualTo(1);
    assertThat(List.of(probe.columnBudget(), probe.offsetBudget()))
        .as(what + ": budgets")
        .containsExactly(expected.columnBudget(), expected.offsetBudget());
    assertThat(probe.columns())
        .as(what + ": columns")
        .containsExactly(SparseCase.heaviest(probe.columnMass(), probe.columnBudget()));
    assertThat(probe.offsets())
        .as(what + ": diagonals")
        .containsExactly(SparseCase.heaviest(probe.offsetMass(), probe.offsetBudget()));

    assertThat(probe.keptMass())
        .as(what + ": kept mass")
        .isCloseTo(massOfLastRow(one.grid(), probe, actual), within(1e-5));

    int[] must = exact.mask().words();
    int[] may = exact.mask().words();
    for (int way = 1; way <= 3; way++) {
      int[] other = input.choose(one.settings(), head, one.grid(), 1e-3, way).mask().words();
      for (int i = 0; i < may.length; i++) {
        must[i] &= other[i];
        may[i] |= other[i];
      }
    }
    int[] words = actual.mask().words();
    for (int i = 0; i < words.length; i++) {
      assertThat(must[i] & ~words[i]).as("%s: cells missing, word %d", what, i).isZero();
      assertThat(words[i] & ~may[i]).as("%s: cells too many, word %d", what, i).isZero();
    }
  }

  /** What the last row block had chosen, before it was made dense. */
  private static double massOfLastRow(BlockGrid grid, Probe probe, Head head) {
    boolean aware = head.pattern() == Pattern.QUERY_AWARE;
    double mass = 0;
    for (int c = 0; c < grid.blocks(); c++) {
      int column = c;
      int offset = grid.blocks() - 1 - c;
      boolean chosen =
          aware
              ? head.mask().has(grid.rows() - 1, c)
              : IntStream.of(probe.columns()).anyMatch(x -> x == column)
                  || IntStream.of(probe.offsets()).anyMatch(x -> x == offset);
      mass += chosen ? probe.columnMass()[c] : 0;
    }
    return mass;
  }

  private static void near(String what, float[] actual, float[] expected, double limit) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat((double) Math.abs(actual[i] - expected[i]))
          .as("%s %d: %s, expected %s", what, i, actual[i], expected[i])
          .isLessThanOrEqualTo(limit);
    }
  }

  private static void assertAttended(
      String what,
      DType dtype,
      SparseInput input,
      int head,
      BlockMask mask,
      BlockSelection selection,
      float[] out) {
    BlockGrid grid = selection.grid();
    int heads = input.shape.heads();
    int d = input.shape.headDim();
    boolean bf16 = dtype == DType.BF16;
    double difference = 0;
    double size = 0;
    for (int query = 0; query < grid.queries(); query++) {
      double[] expected = input.attend(grid, mask, query, head);
      assertThat(Math.abs(selection.lse()[query * heads + head] - expected[d]))
          .as("%s, query %d: lse", what, query)
          .isLessThanOrEqualTo(bf16 ? 1e-3 : 2e-5);
      for (int i = 0; i < d; i++) {
        double off = out[(query * heads + head) * d + i] - expected[i];
        assertThat(Math.abs(off))
            .as("%s, query %d, component %d", what, query, i)
            .isLessThanOrEqualTo(bf16 ? 2e-2 : 5e-5);
        difference += off * off;
        size += expected[i] * expected[i];
      }
    }
    assertThat(Math.sqrt(difference / size))
        .as(what + ": relative")
        .isLessThanOrEqualTo(bf16 ? 5e-3 : 2e-5);
  }

  @Test
  void theCasesHaveBothPatternsAndRowsInParts() {
    Set<Pattern> patterns = new HashSet<>();
    boolean parts = false;
    for (SparseCase one : SparseCase.CASES) {
      BlockSelection selection = one.attend(DType.BF16).chosen();
      SparseLayout layout = SparseLayout.of(one.shape(), one.grid(), DType.BF16);
      for (Head head : selection.heads()) {
        patterns.add(head.pattern());
        parts |= layout.parts() > 1 && head.mask().count(head.mask().rows() - 1) > 8;
      }
    }
    assertThat(patterns).containsExactlyInAnyOrder(Pattern.VERTICAL_SLASH, Pattern.QUERY_AWARE);
    assertThat(parts).isTrue();
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void attendsToWhatIsPrescribed(DType dtype) {
    SparseCase one = SparseCase.CASES.get(0);
    BlockGrid grid = one.grid();
    List<BlockMask> masks = new ArrayList<>();
    for (int head = 0; head < one.shape().heads(); head++) {
      byte[] cells = new byte[grid.rows() * grid.blocks()];
      for (int row = 0; row < grid.rows(); row++) {
        for (int c = 0; c <= grid.firstRow() + row; c++) {
          // not even every diagonal block: the row's first ones are enough
          boolean in = (c + row + head) % 3 == 0 || c == (grid.firstRow() + row) / 2;
          cells[row * grid.blocks() + c] = (byte) (in ? 1 : 0);
        }
      }
      masks.add(BlockMask.of(grid.rows(), grid.blocks(), cells, 0));
    }
    SparseInput input = one.part(dtype, SEED).input();
    try (CudaDevice device = CudaDevice.open(0)) {
      Part part = new Part(input, one.queries(), new ChosenBlocks(32, masks));
      Result result = SparseCase.attend(device, dtype, one.shape(), SEED, part).get(0);
      BlockSelection selection = result.chosen();
      for (int head = 0; head < masks.size(); head++) {
        assertThat(selection.heads().get(head))
            .isEqualTo(new Head(Pattern.PRESCRIBED, Optional.empty(), masks.get(head)));
        assertAttended(
            "head " + head, dtype, input, head, masks.get(head), selection, result.out());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void theLastRowBlockMayAttendToEverythingAndTheOthersDoNot(DType dtype) {
    SparseCase one = SparseCase.of(2, 2, 32, 150, 447, new FlexPrefill(32, 0.5, 0.2, 32, 0, true));
    SparseCase without =
        SparseCase.of(2, 2, 32, 150, 447, new FlexPrefill(32, 0.5, 0.2, 32, 0, false));
    BlockSelection with = one.attend(dtype).chosen();
    BlockSelection plain = without.attend(dtype).chosen();
    for (int head = 0; head < 2; head++) {
      BlockMask mask = with.heads().get(head).mask();
      int last = mask.rows() - 1;
      assertThat(last).isPositive();
      assertThat(mask.count(last)).isEqualTo(one.grid().blocks());
      int[] words = mask.words();
      int[] others = plain.heads().get(head).mask().words();
      int width = words.length / mask.rows();
      assertThat(Arrays.copyOf(words, last * width))
          .as("head %d: rows before the last", head)
          .containsExactly(Arrays.copyOf(others, last * width));
    }
  }

  // --- what is dense, and what is refused ---

  @Test
  void aShortSpanIsAttendedDenselyWhateverItsSelectorSays() {
    SparseCase one = SparseCase.CASES.get(0);
    for (int[] lengths : new int[][] {{1, 231}, {64, 64}}) {
      SparseInput input = new SparseInput(one.shape(), DType.BF16, lengths[1], SEED);
      try (CudaDevice device = CudaDevice.open(0)) {
        Part part = new Part(input, lengths[0], SparseCase.FLEX);
        Part dense = new Part(input, lengths[0], null);
        Result result = SparseCase.attend(device, DType.BF16, one.shape(), SEED, part).get(0);
        assertThat(result.out())
            .containsExactly(
                SparseCase.attend(device, DType.BF16, one.shape(), SEED, dense).get(0).out());
        assertThat(result.chosen().heads())
            .allSatisfy(head -> assertThat(head.pattern()).isEqualTo(Pattern.DENSE));
        assertThat(result.chosen().lse()).isEmpty();
      }
    }
  }

  @Test
  void refusesMoreKeyBlocksThanItHasRoomFor() {
    KvShape shape = SparseCase.CASES.get(0).shape();
    int most = SparseLayout.MOST_BLOCKS * 32;
    SparseLayout largest = SparseLayout.of(shape, new BlockGrid(32, 1000, most), DType.BF16);
    assertThat(largest.sharedBytes()).isPositive();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SparseLayout.of(shape, new BlockGrid(32, 1000, most + 1), DType.BF16))
        .withMessageContaining("131073 rows are 4097 key blocks of 32")
        .withMessageContaining("at most 4096 blocks, 131,072 rows")
        .withMessageContaining("take larger blocks or dense attention");
  }

  @Test
  void refusesMasksOfOtherLengths() {
    SparseCase one = SparseCase.CASES.get(0);
    SparseInput input = one.part(DType.BF16, SEED).input();
    BlockMask other = BlockMask.dense(new BlockGrid(32, 150, 300));
    BlockSelector selector =
        new ChosenBlocks(32, List.of(other, other, other, other, other, other, other));
    try (CudaDevice device = CudaDevice.open(0)) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  SparseCase.attend(
                      device,
                      DType.BF16,
                      one.shape(),
                      SEED,
                      new Part(input, one.queries(), selector)))
          .withMessageContaining("a mask of");
    }
  }

  @Test
  void selectionNeedsASelectorAndAnAttend() {
    SparseCase one = SparseCase.CASES.get(0);
    try (CudaDevice device = CudaDevice.open(0);
        SparseStage stage = new SparseStage(device, one.shape(), DType.BF16, 500, SEED)) {
      Part part = one.part(DType.BF16, SEED);
      StepTables tables = stage.tables(part, new Part(part.input(), 3, null));
      assertThatIllegalStateException()
          .isThrownBy(() -> stage.pool.sparse().selection(tables, 0))
          .withMessageContaining("nothing of the batch was attended yet");
      assertThatIllegalStateException()
          .isThrownBy(() -> stage.pool.sparse().selection(tables, 1))
          .withMessageContaining("span 1 has no selector");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> stage.pool.sparse().selection(tables, 2))
          .withMessageContaining("span 2");
    }
  }

  @Test
  @EnabledOnEmulation
  void aBatchForWhichMemoryIsShortIsRefusedAndTheNextIsNot() {
    SparseCase one = SparseCase.CASES.get(0);
    try (CudaDevice device = CudaDevice.open(0);
        SparseStage stage = new SparseStage(device, one.shape(), DType.BF16, 500, SEED)) {
      Part part = one.part(DType.BF16, SEED);
      Emulation.set("fail=alloc:*:1:2");
      assertThat(catchThrowable(() -> stage.attend(part)))
          .isInstanceOfSatisfying(
              DeviceException.class,
              e -> {
                assertThat(e.failure()).isEqualTo(Failure.REFUSED);
                assertThat(e).hasMessageContaining("sparse prefill");
              });
      Emulation.reset();
      assertThat(SparseCase.bits(stage.attend(part).get(0)))
          .containsExactly(SparseCase.bits(one.attend(DType.BF16)));
    }
  }
}
