// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelection.Probe;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.RowValues;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.kernels.Vocabulary;
import io.everwatch.kernels.cuda.SparseStage.Part;
import io.everwatch.kernels.cuda.SparseStage.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
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
  private static final long SEED = 20251121;
  private static final FlexPrefill FLEX = new FlexPrefill(32, 0.8, 0.2, 64, 0, false);

  /** A span of the last {@code queries} of {@code keys} rows, and how it chooses. */
  private record Case(KvShape shape, int queries, int keys, FlexPrefill settings) {
    Part part(DType dtype, long seed) {
      return new Part(new SparseInput(shape, dtype, keys, seed), queries, settings);
    }

    BlockGrid grid() {
      return new BlockGrid(settings.block(), queries, keys);
    }

    @Override
    public String toString() {
      return "%d heads on %d of %d, %d of %d rows, blocks of %d"
          .formatted(
              shape.heads(),
              shape.kvHeads(),
              shape.headDim(),
              queries,
              keys,
              settings.block());
    }
  }

  private static Case of(
      int heads, int kvHeads, int headDim, int queries, int keys, FlexPrefill settings) {
    int half = headDim / 2;
    return new Case(
        new KvShape(1, heads, kvHeads, headDim, new int[] {half, 0, 0}, 1e4),
        queries,
        keys,
        settings);
  }

  /** Every size of blocks and heads; groups of 1, 2, 3, 7, 9; lengths that are multiples of nothing. */
  private static final List<Case> CASES =
      List.of(
          of(7, 1, 32, 150, 231, FLEX),
          of(4, 2, 64, 201, 502, new FlexPrefill(128, 0.9, 0.2, 128, 0, false)),
          of(3, 1, 128, 333, 333, new FlexPrefill(64, 0.7, 0.25, 64, 0, false)),
          of(9, 1, 32, 77, 577, new FlexPrefill(96, 0.9, 0.3, 96, 0, false)),
          of(2, 2, 64, 17, 447, new FlexPrefill(32, 0.95, 0, 200, 0, true)), // cut into parts
          of(2, 2, 32, 2, 130, new FlexPrefill(32, 0.9, 0.1, 32, 32, false)),
          of(6, 2, 128, 256, 640, new FlexPrefill(128, 0.8, 0.8, 128, 0, false)));

  static Stream<Arguments> cases() {
    return Stream.of(DType.BF16, DType.F32)
        .flatMap(type -> CASES.stream().map(one -> Arguments.of(type, one)));
  }

  private static List<Result> attend(
      CudaDevice device, DType dtype, KvShape shape, long slotSeed, Part... parts) {
    int rows = Stream.of(parts).mapToInt(part -> part.input().keys).sum();
    try (SparseStage stage = new SparseStage(device, shape, dtype, rows, slotSeed)) {
      return stage.attend(parts);
    }
  }

  private static Result attend(DType dtype, Case one, long slotSeed) {
    try (CudaDevice device = CudaDevice.open(0)) {
      return attend(device, dtype, one.shape, slotSeed, one.part(dtype, SEED)).get(0);
    }
  }

  // --- against references ---

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("cases")
  void choosesAsTheReferenceAndAttendsToWhatItChose(DType dtype, Case one) {
    Result result = attend(dtype, one, SEED);
    SparseInput input = one.part(dtype, SEED).input();
    BlockSelection selection = selection(result);
    assertThat(selection.grid()).isEqualTo(one.grid());
    for (int head = 0; head < one.shape.heads(); head++) {
      Head actual = selection.heads().get(head);
      assertChosen("head " + head, dtype, input, one, head, actual);
      assertAttended("head " + head, dtype, input, head, actual.mask(), selection, result.out());
    }
  }

  /** Cells on which the reference disagrees with itself under noise of 1e-3 are open. */
  private static void assertChosen(
      String what, DType dtype, SparseInput input, Case one, int head, Head actual) {
    Head exact = input.choose(one.settings, head, one.grid(), 0, 0);
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
        .containsExactly(heaviest(probe.columnMass(), probe.columnBudget()));
    assertThat(probe.offsets())
        .as(what + ": diagonals")
        .containsExactly(heaviest(probe.offsetMass(), probe.offsetBudget()));

    int[] must = exact.mask().words();
    int[] may = exact.mask().words();
    for (int way = 1; way <= 3; way++) {
      int[] other = input.choose(one.settings, head, one.grid(), 1e-3, way).mask().words();
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

  /** Of a back end's own masses: the first, and the largest others; of equal ones the lower. */
  private static int[] heaviest(float[] mass, int count) {
    Set<Integer> taken = new HashSet<>(Set.of(0));
    while (taken.size() < Math.min(count, mass.length)) {
      int best = -1;
      for (int i = 0; i < mass.length; i++) {
        if (!taken.contains(i) && (best < 0 || mass[i] > mass[best])) {
          best = i;
        }
      }
      taken.add(best);
    }
    return taken.stream().mapToInt(Integer::intValue).sorted().toArray();
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

  private static BlockSelection selection(Result result) {
    return Objects.requireNonNull(result.selection());
  }

  @Test
  void theCasesHaveBothPatternsAndRowsInParts() {
    Set<Pattern> patterns = new HashSet<>();
    boolean parts = false;
    for (Case one : CASES) {
      BlockSelection selection = selection(attend(DType.BF16, one, SEED));
      SparseLayout layout = SparseLayout.of(one.shape, one.grid(), DType.BF16);
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
    Case one = CASES.get(0);
    BlockGrid grid = one.grid();
    List<BlockMask> masks = new ArrayList<>();
    for (int head = 0; head < one.shape.heads(); head++) {
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
      Part part = new Part(input, one.queries, new ChosenBlocks(32, masks));
      Result result = attend(device, dtype, one.shape, SEED, part).get(0);
      BlockSelection selection = selection(result);
      for (int head = 0; head < masks.size(); head++) {
        assertThat(selection.heads().get(head))
            .isEqualTo(
                new Head(Pattern.PRESCRIBED, Optional.empty(), masks.get(head)));
        assertAttended(
            "head " + head, dtype, input, head, masks.get(head), selection, result.out());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void theLastRowBlockMayAttendToEverything(DType dtype) {
    Case one = CASES.get(4);
    for (Head head : selection(attend(dtype, one, SEED)).heads()) {
      int last = head.mask().rows() - 1;
      assertThat(head.mask().count(last)).isEqualTo(one.grid().blocks());
    }
  }

  // --- the same bits, whatever happens around a span ---

  /** Outputs, log-sum-exp, masses and masks in a row. */
  private static float[] bits(Result result) {
    BlockSelection selection = selection(result);
    List<float[]> all = new ArrayList<>(List.of(result.out(), selection.lse()));
    for (Head head : selection.heads()) {
      int[] words = head.mask().words();
      float[] mask = new float[2 * words.length];
      for (int i = 0; i < mask.length; i++) {
        mask[i] = words[i / 2] >>> (i % 2 * 16) & 0xFFFF;
      }
      all.add(mask);
      head.probe()
          .ifPresent(
              probe -> {
                all.add(probe.columnMass());
                all.add(probe.offsetMass());
                all.add(probe.estimate());
                all.add(new float[] {(float) probe.distance()});
              });
    }
    float[] joined = new float[all.stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (float[] part : all) {
      System.arraycopy(part, 0, joined, at, part.length);
      at += part.length;
    }
    return joined;
  }

  static Stream<Arguments> forms() {
    return Stream.of(
        Arguments.of(DType.BF16, CASES.get(0)),
        Arguments.of(DType.BF16, CASES.get(2)),
        Arguments.of(DType.BF16, CASES.get(3)),
        Arguments.of(DType.BF16, CASES.get(4)),
        Arguments.of(DType.F32, CASES.get(0)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("forms")
  void theOrderOfThreadsChangesNoBitAndTheCheckerHasNothingToReport(DType dtype, Case one) {
    Part part = one.part(dtype, SEED);
    EveryOrder.run(device -> bits(attend(device, dtype, one.shape, SEED, part).get(0)));
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void companySlotsAndOrderChangeNoBit(DType dtype) {
    Case one = CASES.get(0);
    Part own = one.part(dtype, SEED);
    float[] alone = bits(attend(dtype, one, SEED));
    for (int others : new int[] {1, 7}) {
      Part[] parts = new Part[others + 1];
      for (int i = 0; i < others; i++) {
        SparseInput input = new SparseInput(one.shape, dtype, 90 + 37 * i, SEED + 10L * (i + 1));
        // every third is dense
        parts[i] = new Part(input, 20 + 9 * i, i % 3 == 1 ? null : FLEX);
      }
      for (int place : new int[] {0, others / 2 + 1, others}) {
        Part[] all = Arrays.copyOf(parts, others + 1);
        System.arraycopy(parts, place, all, place + 1, others - place);
        all[place] = own;
        try (CudaDevice device = CudaDevice.open(0)) {
          assertThat(bits(attend(device, dtype, one.shape, SEED + place, all).get(place)))
              .as("at %d among %d others", place, others)
              .containsExactly(alone);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F32"})
  void denseSpansBesideAreAsWithout(DType dtype) {
    Case one = CASES.get(0);
    Part dense = new Part(new SparseInput(one.shape, dtype, 200, SEED + 9), 60, null);
    try (CudaDevice device = CudaDevice.open(0)) {
      float[] alone = attend(device, dtype, one.shape, SEED, dense).get(0).out();
      assertThat(alone).doesNotContain(Float.NaN);
      assertThat(attend(device, dtype, one.shape, SEED, one.part(dtype, SEED), dense).get(1).out())
          .containsExactly(alone);
    }
  }

  // --- what is counted ---

  @Test
  void countsComeWithTheTokensOfTheNextSampling() {
    Case one = CASES.get(0);
    Part part = one.part(DType.F32, SEED);
    int width = one.shape.heads() * one.shape.headDim();
    try (Backend backend =
            Backends.open("cuda", new BackendOptions(1, false).withDtype(DType.F32));
        RowPool pool = backend.rowPool(one.shape, one.keys);
        Context context = backend.context(pool);
        Arena arena = backend.arena()) {
      BitSet drawable = new BitSet();
      drawable.set(0, 8);
      Vocabulary vocabulary = backend.vocabulary(8, drawable);
      int past = one.keys - one.queries;
      int[] slots = IntStream.range(0, one.keys).toArray();
      byte[][] rows = new byte[past][];
      Arrays.setAll(rows, row -> RowValues.bytes(part.input().cached(row)));
      pool.write(Arrays.copyOf(slots, past), rows);
      context.load(Arrays.copyOf(slots, past), new float[3][past]);
      context.extend(Arrays.copyOfRange(slots, past, one.keys), new float[3][one.queries]);
      Batch batch =
          backend.prefillBatch(
              List.of(new Span(context, 0, one.queries, FLEX)),
              new int[one.queries],
              new int[] {one.queries - 1},
              List.of(new Draw(new SamplingRules(1, 0, 0, 1), 1, 0, 0)));
      float[] qkv = new float[one.queries * part.input().token(0).length];
      for (int i = 0; i < one.queries; i++) {
        float[] token = part.input().token(past + i);
        System.arraycopy(token, 0, qkv, i * token.length, token.length);
      }
      DeviceBuffer in = arena.allocate(batch.rows(), qkv.length / one.queries);
      DeviceBuffer out = arena.allocate(batch.rows(), width);
      DeviceBuffer logits = arena.allocateF32(1, 8);
      backend.upload(qkv, 0, qkv.length, in);
      backend.upload(new float[] {0, 1, 2, 9, 4, 5, 6, 7}, 0, 8, logits);
      backend.attend(0, in, batch, out);
      BlockSelection selection = backend.selection(batch, 0);
      backend.attend(0, in, batch, out);
      assertThat(backend.sparseCounters()).isEqualTo(SparseCounters.NONE);

      assertThat(backend.sample(logits, vocabulary, batch)).containsExactly(3);

      SparseCounters counts = backend.sparseCounters();
      long aware = selection.heads().stream().filter(h -> h.pattern() == Pattern.QUERY_AWARE).count();
      long chosen = selection.heads().stream().mapToLong(h -> h.mask().count()).sum();
      double kept =
          selection.heads().stream().mapToDouble(h -> h.probe().orElseThrow().keptMass()).sum();
      assertThat(counts.spans()).isEqualTo(2);
      assertThat(counts.queryAware()).isEqualTo(2 * aware);
      assertThat(counts.verticalSlash()).isEqualTo(2 * (one.shape.heads() - aware));
      assertThat(counts.chosenCells()).isEqualTo(2 * chosen);
      assertThat(counts.causalCells())
          .isEqualTo(2 * one.shape.heads() * one.grid().causalCells());
      assertThat(counts.keptSamples()).isEqualTo(2 * one.shape.heads());
      assertThat(counts.keptMass()).isCloseTo(2 * kept, within(1e-4));
      assertThat(counts.meanKeptMass()).isBetween(0.1, 1.0);
      assertThat(backend.sparseSpace(one.shape, one.queries, one.keys, FLEX)).isPositive();
      assertThat(backend.sparseSpace(one.shape, 1, one.keys, FLEX)).isZero();
    }
  }

  // --- what is dense, and what is refused ---

  @Test
  void aShortSpanIsAttendedDenselyWhateverItsSelectorSays() {
    Case one = CASES.get(0);
    for (int[] lengths : new int[][] {{1, 231}, {64, 64}}) {
      SparseInput input = new SparseInput(one.shape, DType.BF16, lengths[1], SEED);
      try (CudaDevice device = CudaDevice.open(0)) {
        Part part = new Part(input, lengths[0], FLEX);
        Part dense = new Part(input, lengths[0], null);
        Result result = attend(device, DType.BF16, one.shape, SEED, part).get(0);
        assertThat(result.out())
            .containsExactly(attend(device, DType.BF16, one.shape, SEED, dense).get(0).out());
        assertThat(selection(result).heads())
            .allSatisfy(head -> assertThat(head.pattern()).isEqualTo(Pattern.DENSE));
        assertThat(selection(result).lse()).isEmpty();
      }
    }
  }

  @Test
  void refusesMoreKeyBlocksThanItHasRoomFor() {
    KvShape shape = CASES.get(0).shape;
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
    Case one = CASES.get(0);
    SparseInput input = one.part(DType.BF16, SEED).input();
    BlockMask other = BlockMask.dense(new BlockGrid(32, 150, 300));
    BlockSelector selector = new ChosenBlocks(32, List.of(other, other, other, other, other, other, other));
    try (CudaDevice device = CudaDevice.open(0)) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  attend(
                      device, DType.BF16, one.shape, SEED, new Part(input, one.queries, selector)))
          .withMessageContaining("a mask of");
    }
  }

  @Test
  void selectionNeedsASelectorAndAnAttend() {
    Case one = CASES.get(0);
    try (CudaDevice device = CudaDevice.open(0);
        SparseStage stage = new SparseStage(device, one.shape, DType.BF16, 500, SEED)) {
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
    Case one = CASES.get(0);
    try (CudaDevice device = CudaDevice.open(0);
        SparseStage stage = new SparseStage(device, one.shape, DType.BF16, 500, SEED)) {
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
      assertThat(bits(stage.attend(part).get(0))).containsExactly(bits(attend(DType.BF16, one, SEED)));
    }
  }
}
