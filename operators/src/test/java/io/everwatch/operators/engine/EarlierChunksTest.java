// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.model.EncodedFrame;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several answered chunks that come into a memory with the prefill of the next. */
@Timeout(60)
class EarlierChunksTest {
  private final TestEngine engine = new TestEngine();

  @AfterEach
  void close() {
    engine.close();
  }

  private static String said(long chunk) {
    return chunk % 4 == 1 ? "" : " w%d w%d".formatted(10 + chunk % 20, 11 + chunk % 7);
  }

  private static List<RoundInput> answered(int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(chunk -> TestEngine.chunk("a", chunk).answered(said(chunk)))
        .toList();
  }

  private StreamSession oneByOne(String stream, int rounds) throws Exception {
    StreamSession session = engine.create(stream);
    for (RoundInput chunk : answered(0, rounds)) {
      engine.round(session, chunk);
    }
    return session;
  }

  /** Within the window (3 rounds with pictures, 4 with words) nothing is missing: equal bytes. */
  @Test
  void leaveTheMemoryThatTheyLeaveOneByOne() throws Exception {
    StreamSession together = engine.create("a");

    RoundResult result = engine.round(together, answered(2, 3).get(0).after(answered(0, 2)));

    assertThat(result.round()).isEqualTo(2);
    assertThat(together.rounds()).isEqualTo(3);
    assertThat(engine.snapshot(together).pieces())
        .usingElementComparator(Arrays::compare)
        .isEqualTo(engine.snapshot(oneByOne("a", 3)).pieces());
  }

  /** Words have moved, pictures have gone, the text memory was cut: all before the prefill. */
  @Test
  void areCutBeforeThePrefillAndNotAfterIt() throws Exception {
    int rounds = 15;
    StreamSession together = engine.create("a");

    RoundResult result =
        engine.round(together, answered(rounds - 1, rounds).get(0).after(answered(0, rounds - 1)));

    StreamSession alone = oneByOne("a", rounds);
    assertThat(together.memory().ids()).isEqualTo(alone.memory().ids());
    assertThat(kinds(together)).isEqualTo(kinds(alone)).contains(SegmentKind.MEMORY);
    assertThat(together.memory().cachedRows()).isEqualTo(alone.memory().cachedRows());
    int fedByDecoding = 3; // two words and the pause; the end token was not fed
    assertThat(result.promptRows()).isEqualTo(together.memory().cachedRows() - fedByDecoding);
  }

  @Test
  void goOnBehindAMemoryThatKeepsAllOfItsRows() throws Exception {
    StreamSession together = engine.create("a");
    engine.round(together, answered(0, 1).get(0));

    engine.round(together, answered(2, 3).get(0).after(answered(1, 2)));

    assertThat(engine.snapshot(together).pieces())
        .usingElementComparator(Arrays::compare)
        .isEqualTo(engine.snapshot(oneByOne("a", 3)).pieces());
  }

  @Test
  void areRememberedByTheirWordsAloneWithoutFrames() throws Exception {
    StreamSession session = engine.create("a");
    List<RoundInput> earlier = answered(0, 2).stream().map(RoundInput::withoutFrames).toList();

    engine.round(session, TestEngine.chunk("a", 2).after(earlier));

    assertThat(session.memory().slices())
        .filteredOn(slice -> slice.round() < 2)
        .extracting(Slice::kind)
        .contains(SegmentKind.MARKER, SegmentKind.GENERATED)
        .doesNotContain(SegmentKind.VISION);
    assertThat(session.memory().slices())
        .filteredOn(slice -> slice.round() == 2)
        .extracting(Slice::kind)
        .contains(SegmentKind.VISION);
  }

  @Test
  void makeNoRoundWhenNoneOfTheirFramesCanBeUsed() throws Exception {
    EncodedFrame broken = new EncodedFrame(EncodedFrame.Encoding.PNG, 0, 0, new byte[] {1, 2, 3});
    StreamSession session = engine.create("a");
    List<RoundInput> earlier = new ArrayList<>(answered(0, 1));
    earlier.add(new RoundInput(1, List.of(broken, broken), false).answered(" w12"));

    RoundResult result = engine.round(session, TestEngine.chunk("a", 2).after(earlier));

    assertThat(result.round()).isEqualTo(1);
    assertThat(result.badFrames()).extracting(RoundResult.BadFrame::index).containsExactly(2, 3);
  }

  @Test
  void putAQuestionBehindThePictures() throws Exception {
    StreamSession session = engine.create("a");

    engine.round(session, TestEngine.chunk("a", 1).asked(" w30 w31").after(answered(0, 1)));

    List<Slice> asked =
        session.memory().slices().stream().filter(slice -> slice.round() == 1).toList();
    assertThat(asked)
        .extracting(Slice::kind)
        .containsSubsequence(SegmentKind.VISION, SegmentKind.QUERY, SegmentKind.USER_CLOSE);
    assertThat(asked)
        .filteredOn(slice -> slice.kind() == SegmentKind.QUERY)
        .extracting(slice -> slice.segment().ids())
        .containsExactly(new int[] {30, 31});
  }

  @Test
  void areToldOfOneByOne() throws Exception {
    EncodedFrame broken = new EncodedFrame(EncodedFrame.Encoding.PNG, 0, 0, new byte[] {1, 2, 3});
    StreamSession session = engine.create("a");
    engine.round(session, TestEngine.chunk("a", 0));
    EncodedFrame good = TestEngine.chunk("a", 2).frames().get(0);
    RoundInput blind = new RoundInput(1, List.of(broken, broken), true).answered("");
    RoundInput half = new RoundInput(2, List.of(good, broken), false).answered("");
    RoundInput said = TestEngine.chunk("a", 3).answered(" w3");

    RoundResult all =
        engine.round(session, TestEngine.chunk("a", 4).after(List.of(blind, half, said)));
    List<RoundResult> each = all.each();

    assertThat(each)
        .extracting(one -> one.input().chunk(), RoundResult::round)
        .containsExactly(tuple(1L, -1L), tuple(2L, 1L), tuple(3L, 2L), tuple(4L, 3L));
    assertThat(each)
        .extracting(one -> one.outcome().match(spoke -> spoke.text(), silent -> "", failed -> "f"))
        .startsWith("f", "", " w3");
    assertThat(each.get(3).outcome()).isEqualTo(all.outcome());
    assertThat(each)
        .as("what the first was to forget is forgotten with the next that makes a round")
        .extracting(one -> one.input().dropVision())
        .containsExactly(true, true, false, false);
    assertThat(each.get(1).badFrames()).extracting(RoundResult.BadFrame::index).containsExactly(1);
    assertThat(each.get(3).badFrames()).isEmpty();
    assertThat(each.stream().mapToInt(RoundResult::promptRows).sum()).isEqualTo(all.promptRows());
    assertThat(session.memory().slices())
        .as("seen before")
        .filteredOn(slice -> slice.round() == 0)
        .extracting(Slice::kind)
        .doesNotContain(SegmentKind.VISION);
  }

  @Test
  void mustBeAnswered() {
    RoundInput last = TestEngine.chunk("a", 1);
    assertThatThrownBy(() -> last.after(List.of(TestEngine.chunk("a", 0))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "chunk 0 before chunk 1 has no answer; expected an answered chunk without earlier ones:"
                + " only the last one of a prefill is answered by the model");
    assertThatThrownBy(
            () -> last.after(List.of(answered(0, 1).get(0).after(answered(0, 1)).answered(" w11"))))
        .hasMessageContaining("chunk 0 before chunk 1 has 1 earlier ones");
  }

  private static List<SegmentKind> kinds(StreamSession session) {
    return session.memory().slices().stream().map(Slice::kind).toList();
  }
}
