// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DType;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.engine.RebuiltMemory.Source;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is left of a memory when its rows, or its model, are gone. */
@Timeout(60)
class RebuildTest {
  private static final int ROUNDS = 12;

  private final TestEngine engine = new TestEngine();

  @AfterEach
  void close() {
    engine.close();
  }

  /** The same words under other ids. */
  private static final Words OTHER_IDS =
      new Words() {
        @Override
        public int[] encode(String text) {
          return Arrays.stream(FakePrompts.WORDS.encode(text)).map(RebuildTest::otherId).toArray();
        }

        @Override
        public String decode(int[] ids) {
          return FakePrompts.WORDS.decode(Arrays.stream(ids).map(RebuildTest::otherId).toArray());
        }
      };

  private static int otherId(int id) {
    return id < 10 ? id : FakePrompts.VOCABULARY + 9 - id;
  }

  private SessionSnapshot taken(String stream) throws Exception {
    StreamSession session = engine.create(stream);
    for (int i = 0; i < ROUNDS; i++) {
      engine.round(session, i);
    }
    return engine.snapshot(session);
  }

  private RebuiltMemory rebuilt(List<byte[]> pieces) {
    return engine.seat.rebuild("a", pieces, TestEngine.settings(), 77);
  }

  @Test
  void losesNoWordWhicheverPieceIsDamagedOrMissing() throws Exception {
    SessionSnapshot whole = taken("a");
    StreamMemory memory = whole.header().committed().memory();
    StreamMemory words = blind(memory);
    assertThat(whole.pieces()).hasSize(3);
    for (int i = 0; i < whole.pieces().size(); i++) {
      List<byte[]> damaged = new ArrayList<>(whole.pieces());
      damaged.set(i, new byte[0]);

      RebuiltMemory rebuilt = rebuilt(damaged);

      assertThat(rebuilt.source()).isEqualTo(Source.IDS);
      assertThat(rebuilt.snapshot().rounds()).isEqualTo(ROUNDS);
      assertThat(rebuilt.snapshot().settings()).isEqualTo(whole.settings());
      StreamMemory left = rebuilt.snapshot().header().committed().memory();
      assertThat(left.cachedRows()).isZero();
      assertThat(left.ids()).isEqualTo(words.ids());
    }
    assertThat(memory.slices()).extracting(Slice::kind).contains(SegmentKind.VISION);
    assertThat(words.slices())
        .extracting(Slice::kind)
        .contains(SegmentKind.MEMORY, SegmentKind.GENERATED, SegmentKind.MARKER)
        .doesNotContain(SegmentKind.VISION);
  }

  @Test
  void goesOnCountingWhenNothingElseIsLeft() throws Exception {
    RebuiltMemory rebuilt = rebuilt(List.of(new byte[0], new byte[3], new byte[0]));

    assertThat(rebuilt.source()).isEqualTo(Source.NOTHING);
    StreamSession session = engine.seat.restore(rebuilt.snapshot());
    assertThat(engine.round(session, 80).round()).isEqualTo(77);
  }

  @Test
  void tellsAnotherModelTheSameWordsInIdsOfItsOwn() throws Exception {
    SnapshotHeader header = taken("a").header();
    StreamMemory before = blind(header.committed().memory());
    EngineParts parts = otherModel();

    Rebuild.Result rebuilt =
        new Rebuild(parts).rebuild(taken("b").pieces(), TestEngine.settings(), 0);
    Rebuild.Result again =
        new Rebuild(parts).rebuild(taken("a").pieces(), TestEngine.settings(), 0);

    assertThat(rebuilt.source()).isEqualTo(Source.TEXT);
    StreamMemory after = again.committed().memory();
    assertThat(after.cachedRows()).isZero();
    assertThat(again.committed().rounds()).isEqualTo(ROUNDS);
    assertThat(said(after, parts)).isEqualTo(said(before, TestEngine.parts(engine.network)));
    assertThat(after.slices().stream().filter(slice -> slice.round() >= 0))
        .extracting(slice -> slice.kind() + " " + slice.round())
        .isEqualTo(
            before.slices().stream()
                .filter(slice -> slice.round() >= 0)
                .map(slice -> slice.kind() + " " + slice.round())
                .toList());
    assertThat(after.slices().stream().map(slice -> slice.segment().id()))
        .doesNotHaveDuplicates()
        .allMatch(id -> id < again.committed().nextSegment());
    assertThat(after.slices().stream().limit(3).map(Slice::kind))
        .containsExactly(SegmentKind.SYSTEM, SegmentKind.MEMORY_OPEN, SegmentKind.MEMORY);
  }

  /** All that was said and is remembered, and the time markers. */
  private static String said(StreamMemory memory, EngineParts parts) {
    return String.join("", Transcript.of(memory, parts.ending(), parts.words()).texts());
  }

  private EngineParts otherModel() {
    EngineParts parts = TestEngine.parts(engine.network);
    return new EngineParts(
        parts.network(),
        parts.clips(),
        parts.planner(),
        parts.policy(),
        OTHER_IDS,
        new TurnEnding(
            FakePrompts.TURN, FakePrompts.END, OTHER_IDS, TurnEnding.CutTurn.PAUSE_AND_END),
        parts.stops(),
        parts.settings(),
        "o".repeat(64),
        parts.numerics());
  }

  @Test
  void goesOnWithTheSameBytesHoweverOftenAndInWhateverCompany() throws Exception {
    List<byte[]> damaged = new ArrayList<>(taken("a").pieces());
    damaged.set(1, new byte[0]);
    List<String> alone = after(damaged, 0);
    List<String> again = after(damaged, 0);
    List<String> inCompany = after(damaged, 5);

    assertThat(again).isEqualTo(alone);
    assertThat(inCompany).isEqualTo(alone);
  }

  private List<String> after(List<byte[]> damaged, int company) throws Exception {
    StreamSession session = engine.seat.restore(rebuilt(damaged).snapshot());
    List<StreamSession> others = new ArrayList<>();
    for (int i = 0; i < company; i++) {
      others.add(engine.create("other-" + i));
    }
    List<String> texts = new ArrayList<>();
    for (int chunk = ROUNDS; chunk < ROUNDS + 4; chunk++) {
      int at = chunk;
      others.forEach(o -> engine.seat.submit(o, TestEngine.chunk(o.streamId(), at)));
      engine.seat.submit(session, TestEngine.chunk("a", chunk));
      for (int i = 0; i <= company; i++) {
        RoundResult result = engine.next();
        if (result.session() == session) {
          texts.add(TestEngine.text(result));
        }
      }
    }
    texts.add(Arrays.deepToString(engine.snapshot(session).rows(DType.F32)));
    engine.seat.release(session);
    others.forEach(engine.seat::release);
    return texts;
  }

  @Test
  void takesAnAnswerThatWasGivenBefore() throws Exception {
    StreamSession session = engine.create("a");

    RoundResult spoke = engine.round(session, TestEngine.chunk("a", 0).answered(" w12 w13"));
    RoundResult silent = engine.round(session, TestEngine.chunk("a", 1).answered(""));

    assertThat(spoke.outcome())
        .isEqualTo(new RoundResult.Spoke(" w12 w13", 4, RoundResult.StopReason.END_OF_TURN));
    assertThat(silent.outcome()).isInstanceOf(RoundResult.Silent.class);
    assertThat(session.memory().slices().stream().filter(s -> s.kind() == SegmentKind.GENERATED))
        .extracting(slice -> slice.segment().ids())
        .containsExactly(
            new int[] {12, 13, FakePrompts.PAUSE, FakePrompts.END},
            new int[] {FakePrompts.PAUSE, FakePrompts.END});
  }

  /** An answer that ran into its limit is remembered as it was: cut, then closed. */
  @Test
  void takesALongAnswerAsLongAsItWas() throws Exception {
    StreamSession session = engine.create("a");
    int longest = TestEngine.settings().maxNewTokens();
    String words = " w12".repeat(longest);

    RoundResult cut = engine.round(session, TestEngine.chunk("a", 0).answered(words));

    assertThat(cut.outcome())
        .isEqualTo(new RoundResult.Spoke(words, longest, RoundResult.StopReason.MAX_NEW_TOKENS));
  }

  /** A prescribed answer makes the rows that the same answer made when it was given. */
  @Test
  void makesTheSameRowsAsTheAnswerItself() throws Exception {
    int compared = 0;
    for (int i = 0; i < 20; i++) {
      StreamSession first = engine.create("a" + i);
      StreamSession second = engine.create("a" + i);
      RoundResult result = engine.round(first, 0);
      String said = result.outcome().match(s -> s.text(), s -> "", f -> "");
      engine.round(second, TestEngine.chunk("a" + i, 0).answered(said));
      // An answer without the pause before its end gets one.
      if (Arrays.equals(second.memory().ids(), first.memory().ids())) {
        compared++;
        assertThat(engine.snapshot(second).rows(DType.F32))
            .isDeepEqualTo(engine.snapshot(first).rows(DType.F32));
      }
    }
    assertThat(compared).isGreaterThan(3);
  }

  private static StreamMemory blind(StreamMemory memory) {
    return TestEngine.parts(new FakeNetwork(40, 0, 1, 10))
        .policy()
        .apply(TestEngine.settings())
        .dropVision(memory.withCachedRows(0));
  }
}
