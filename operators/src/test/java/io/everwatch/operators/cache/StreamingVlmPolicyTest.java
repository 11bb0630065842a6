// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.operators.cache.RowByRow.Row;
import io.everwatch.operators.cache.StreamingVlmPolicy.Cut;
import io.everwatch.operators.cache.StreamingVlmPolicy.Trim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StreamingVlmPolicyTest {
  private static final VideoGrid SMALL = new VideoGrid(1, 2, 3, 2f);

  @Test
  void keepsTheRowsThatTheRulesReadRowByRowKeep() {
    for (int seed = 0; seed < 1500; seed++) {
      Random random = new Random(seed);
      RetentionWindow window = randomWindow(random);
      Cut cut =
          !window.cutText() || window.textWindow() > 0 ? pick(random, Cut.values()) : Cut.EXACT;
      Trim trim = pick(random, Trim.values());
      StreamingVlmPolicy policy = new StreamingVlmPolicy(window, FakeStream.TOKENS, cut, trim);
      RowByRow rules = new RowByRow(window, cut, trim);
      FakeStream stream = new FakeStream(policy, SMALL);
      int[] context = words(random, random.nextInt(8));
      for (int round = 0; round < 25; round++) {
        String at = "seed %d, round %d, %s %s %s".formatted(seed, round, window, cut, trim);
        if (random.nextInt(8) == 0) {
          List<Row> expected = rules.dropVision(RowByRow.rows(stream.memory()));
          stream.dropVision();
          assertThat(RowByRow.rows(stream.memory())).as(at).isEqualTo(expected);
        }
        List<Row> expected = rules.compact(RowByRow.rows(stream.memory()), round);
        StreamMemory actual = policy.compact(stream.memory(), round);
        assertThat(RowByRow.rows(actual)).as(at).isEqualTo(expected);

        stream.ask(context);
        stream.answer(randomTurn(random));
      }
    }
  }

  @Test
  void compactingTwiceChangesNothingWithTheExactCut() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      StreamingVlmPolicy policy = new StreamingVlmPolicy(randomWindow(random), FakeStream.TOKENS);
      FakeStream stream = new FakeStream(policy, SMALL);
      for (int round = 0; round < 12; round++) {
        stream.ask();
        stream.answer(randomTurn(random));
      }
      StreamMemory once = policy.compact(stream.memory(), stream.round());

      assertThat(policy.compact(once, stream.round())).as("seed %d", seed).isEqualTo(once);
    }
  }

  @ParameterizedTest(name = "{0} text and {1} visual rounds, {2} + {3} tokens, up to {4} words")
  @CsvSource({
    "16, 16, 512, 512, 12",
    "16, 16, 128, 128, 1",
    "8, 24, 64, 64, 18",
    "24, 8, 0, 128, 3"
  })
  void boundsRowsSlicesAndPositionsOverAnEndlessStream(
      int textRounds, int visualRounds, int sink, int textWindow, int maxWords) {
    RetentionWindow window = new RetentionWindow(textRounds, visualRounds, true, sink, textWindow);
    VideoGrid grid = new VideoGrid(1, 13, 23, 2f); // 640x360
    FakeStream stream = new FakeStream(new StreamingVlmPolicy(window, FakeStream.TOKENS), grid);
    Random random = new Random(5);
    int longest = Math.max(textRounds, visualRounds);
    int head = 11 + 4 + 2;
    int turn = 3 + 10 + 2 + 3 + 1 + maxWords + 2; // user and assistant frame, marker, words
    int rowLimit = head + sink + textWindow + longest * turn + 5 + visualRounds * (2 + 299);
    int sliceLimit = 3 + sink + textWindow + 1 + longest * 8;
    int positionLimit = head + sink + textWindow + longest * turn + 5 + visualRounds * (2 + 23);
    int mostRows = 0;
    int mostSlices = 0;
    float top = 0;

    for (int round = 0; round < 100_000; round++) {
      StreamMemory memory = stream.ask();
      mostSlices = Math.max(mostSlices, memory.slices().size());
      if (round % 1000 < 2) {
        mostRows = Math.max(mostRows, memory.rows());
        float[] times = new ContiguousPositions().positions(memory)[0];
        top = Math.max(top, times[times.length - 1]);
      }
      int[] turnIds = words(random, random.nextInt(maxWords + 1));
      stream.answer(ended(turnIds, FakeStream.PAUSE, FakeStream.END));
    }

    assertThat(mostRows).isGreaterThan(rowLimit / 2).isLessThanOrEqualTo(rowLimit);
    assertThat(mostSlices).isLessThanOrEqualTo(sliceLimit);
    assertThat(top).isGreaterThan(positionLimit / 2f).isLessThanOrEqualTo(positionLimit);
  }

  @Test
  void staysNearThePublishedBoundsWithThePublishedSettings() {
    // StreamingVLM §8.4: 360p, about 8 words per chunk: 6,400 tokens, top position about 1,980.
    FakeStream stream =
        new FakeStream(
            new StreamingVlmPolicy(new RetentionWindow(16, 16, true, 512, 512), FakeStream.TOKENS),
            new VideoGrid(1, 13, 23, 2f));
    Random random = new Random(1);
    for (int round = 0; round < 400; round++) {
      stream.ask();
      stream.answer(ended(words(random, 8), FakeStream.PAUSE, FakeStream.END));
    }
    StreamMemory memory = stream.ask();

    // Markers are 10 tokens here and 14 to 16 there.
    assertThat(memory.rows()).isCloseTo(6_400, within(160));
    float[] times = new ContiguousPositions().positions(memory)[0];
    assertThat(times[times.length - 1]).isCloseTo(1_980, within(160f));
  }

  @Test
  void silenceAddsNothingToTheText() {
    FakeStream stream = stream(new RetentionWindow(2, 2, true, 4, 6));
    for (int round = 0; round < 50; round++) {
      stream.ask(901, 902, 903);
      stream.answer(FakeStream.PAUSE, FakeStream.END);
    }

    assertThat(text(stream.compact())).containsExactly(901, 902, 903);
  }

  @Test
  void movesAllWordsOfATurnThatWasCutShort() {
    FakeStream stream = stream(new RetentionWindow(2, 2, true, 4, 6));
    stream.ask();
    stream.answer(10, 11, 12); // no pause: the end is appended to the ids
    assertThat(stream.memory().cachedRows()).isEqualTo(stream.memory().rows() - 2);
    silence(stream);

    assertThat(text(stream.compact())).containsExactly(10, 11, 12);
  }

  @Test
  void losesTwoWordsOfATurnThatWasCutShortWithThePublishedTrim() {
    FakeStream stream =
        new FakeStream(
            new StreamingVlmPolicy(
                RetentionWindow.uncut(2, 2), FakeStream.TOKENS, Cut.UPSTREAM, Trim.UPSTREAM),
            SMALL);
    stream.ask();
    stream.answer(10, 11, 12);
    silence(stream);

    assertThat(text(stream.compact())).containsExactly(10, 11);
  }

  @Test
  void movesNeitherEndOfTextNorPause() {
    FakeStream stream = stream(new RetentionWindow(2, 2, true, 4, 6));
    stream.ask();
    stream.answer(10, FakeStream.PAUSE, FakeStream.END_OF_TEXT);
    assertThat(stream.memory().cachedRows()).isEqualTo(stream.memory().rows() - 2);
    silence(stream);

    assertThat(text(stream.compact())).containsExactly(10);
  }

  @Test
  void keepsRowsWithoutKeysAtTheEnd() {
    FakeStream stream = stream(new RetentionWindow(2, 1, true, 1, 1));
    for (int round = 0; round < 10; round++) {
      stream.ask();
      stream.answer(round % 2 == 0 ? new int[] {10, 11} : new int[] {10, 1, 2});
      int uncached = round % 2 == 0 ? 2 : 1;
      StreamMemory memory = stream.memory();
      assertThat(memory.rows() - memory.cachedRows()).isEqualTo(uncached);
      assertThat(stream.compact().rows() - stream.memory().cachedRows()).isEqualTo(uncached);
    }
  }

  @Test
  void countsCachedRowsOfATextThatIsCutWhileItIsBeingRebuilt() {
    StreamingVlmPolicy policy =
        new StreamingVlmPolicy(new RetentionWindow(2, 2, true, 2, 3), FakeStream.TOKENS);
    FakeStream stream = new FakeStream(policy, SMALL);
    stream.ask(words(new Random(1), 10));
    int textStart = 11 + 4;

    assertThat(policy.compact(stream.memory().withCachedRows(0), 1).cachedRows()).isZero();
    assertThat(policy.compact(stream.memory().withCachedRows(textStart + 6), 1).cachedRows())
        .isEqualTo(textStart + 2);
    assertThat(policy.compact(stream.memory().withCachedRows(textStart + 8), 1).cachedRows())
        .isEqualTo(textStart + 2 + 1);
  }

  @Test
  void leavesTheHeadWholeBeforeTheFirstRound() {
    StreamingVlmPolicy policy =
        new StreamingVlmPolicy(new RetentionWindow(2, 2, true, 2, 3), FakeStream.TOKENS);
    FakeStream stream = new FakeStream(policy, SMALL);
    StreamMemory head =
        new StreamMemory(stream.ask(words(new Random(1), 10)).slices().subList(0, 4), 27);

    assertThat(policy.compact(head, 0)).isEqualTo(head);
  }

  @Test
  void refusesToMoveWordsWithoutKeys() {
    StreamingVlmPolicy policy =
        new StreamingVlmPolicy(new RetentionWindow(2, 2, true, 4, 6), FakeStream.TOKENS);
    FakeStream stream = new FakeStream(policy, SMALL);
    stream.ask();
    stream.answer(10, 11);

    assertThatThrownBy(() -> policy.compact(stream.memory(), 2))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("without K and V at the end only")
        .hasMessageContaining("is the round number right?");
  }

  @Test
  void refusesAMemoryThatClaimsMoreCachedRowsThanItHas() {
    FakeStream stream = stream(new RetentionWindow(2, 2, true, 4, 6));
    stream.ask();
    StreamMemory wrong = stream.memory().withCachedRows(1000);

    assertThatThrownBy(
            () ->
                new StreamingVlmPolicy(RetentionWindow.uncut(2, 2), FakeStream.TOKENS)
                    .compact(wrong, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1000 of them are cached");
  }

  @Test
  void refusesToMoveWordsWhereNoTextTurnIs() {
    StreamingVlmPolicy policy =
        new StreamingVlmPolicy(RetentionWindow.uncut(2, 2), FakeStream.TOKENS);
    Segment turn = new Segment(0, SegmentKind.GENERATED, 0, new int[] {10, 1, 2}, null);
    StreamMemory headless = new StreamMemory(List.of(Slice.whole(turn)), 3);

    assertThatThrownBy(() -> policy.compact(headless, 2))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no MEMORY_CLOSE");
  }

  @Test
  void letsAllRoundsOutsideANarrowedWindowGoOldestFirst() {
    FakeStream stream = stream(RetentionWindow.uncut(8, 8));
    for (int round = 0; round < 6; round++) {
      stream.ask();
      stream.answer(100 + round, FakeStream.PAUSE, FakeStream.END);
    }
    StreamMemory narrowed =
        new StreamingVlmPolicy(RetentionWindow.uncut(2, 2), FakeStream.TOKENS)
            .compact(stream.memory(), 6);

    assertThat(text(narrowed)).containsExactly(100, 101, 102, 103, 104);
    assertThat(narrowed.slices().stream().mapToLong(Slice::round).filter(r -> r >= 0).distinct())
        .containsExactly(5L);
  }

  @Test
  void dropsVisionButNotTheWordsAndTimesBesideIt() {
    FakeStream stream = stream(RetentionWindow.uncut(4, 4));
    for (int round = 0; round < 3; round++) {
      stream.ask();
      stream.answer(100 + round, FakeStream.PAUSE, FakeStream.END);
    }
    int rows = stream.memory().rows();
    stream.dropVision();

    assertThat(stream.memory().rows()).isEqualTo(rows - 3 * 8);
    assertThat(stream.memory().cachedRows()).isEqualTo(stream.memory().rows() - 1);
    assertThat(stream.memory().slices().stream().map(Slice::kind))
        .doesNotContain(SegmentKind.VISION)
        .contains(SegmentKind.MARKER, SegmentKind.GENERATED, SegmentKind.QUERY);
  }

  @Test
  void validatesItsWindows() {
    assertThatThrownBy(() -> new RetentionWindow(1, 1, true, 4, 4))
        .hasMessageContaining("1 text rounds");
    assertThatThrownBy(() -> new RetentionWindow(2, 0, true, 4, 4))
        .hasMessageContaining("0 visual rounds");
    assertThatThrownBy(() -> new RetentionWindow(2, 1, true, -1, 4))
        .hasMessageContaining("text sink -1");
    assertThatThrownBy(
            () ->
                new StreamingVlmPolicy(
                    new RetentionWindow(2, 1, true, 4, 0),
                    FakeStream.TOKENS,
                    Cut.UPSTREAM,
                    Trim.IDENTITY))
        .hasMessageContaining("text window 0");
    assertThatThrownBy(() -> new TurnTokens(1, java.util.Set.of(1)))
        .hasMessageContaining("pause token 1");
  }

  private static FakeStream stream(RetentionWindow window) {
    return new FakeStream(new StreamingVlmPolicy(window, FakeStream.TOKENS), SMALL);
  }

  private static void silence(FakeStream stream) {
    stream.ask();
    stream.answer(FakeStream.PAUSE, FakeStream.END);
  }

  private static List<Integer> text(StreamMemory memory) {
    List<Integer> text = new ArrayList<>();
    for (Slice slice : memory.slices()) {
      if (slice.kind() == SegmentKind.MEMORY) {
        Arrays.stream(slice.segment().ids(), slice.from(), slice.to()).forEach(text::add);
      }
    }
    return text;
  }

  private static RetentionWindow randomWindow(Random random) {
    int textRounds = 2 + random.nextInt(4);
    int visualRounds = 1 + random.nextInt(6);
    return random.nextInt(6) == 0
        ? RetentionWindow.uncut(textRounds, visualRounds)
        : new RetentionWindow(textRounds, visualRounds, true, random.nextInt(7), random.nextInt(7));
  }

  /** Words with or without pause, ended by either end token or cut short. */
  private static int[] randomTurn(Random random) {
    int[] words = words(random, random.nextInt(6));
    return switch (random.nextInt(5)) {
      case 0 -> ended(words, FakeStream.PAUSE, FakeStream.END_OF_TEXT);
      case 1 -> ended(words, FakeStream.END);
      case 2 -> words.length > 0 ? words : new int[] {FakeStream.PAUSE};
      default -> ended(words, FakeStream.PAUSE, FakeStream.END);
    };
  }

  private static int[] words(Random random, int count) {
    return IntStream.range(0, count).map(i -> 100 + random.nextInt(800)).toArray();
  }

  private static int[] ended(int[] words, int... ends) {
    return IntStream.concat(Arrays.stream(words), Arrays.stream(ends)).toArray();
  }

  private static <T> T pick(Random random, T[] values) {
    return values[random.nextInt(values.length)];
  }
}
