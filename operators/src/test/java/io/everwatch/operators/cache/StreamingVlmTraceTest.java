// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.cache.StreamingVlmPolicy.Cut;
import io.everwatch.operators.cache.StreamingVlmPolicy.Trim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The golden trace of StreamingVLM §7.6, in its own notation. */
class StreamingVlmTraceTest {
  private static final int[] PHRASES = {2, 0, 3, 1, 2, 1, 2, 1};

  @Test
  void keepsWhatThePublishedRulesKeep() {
    assertThat(trace(new RetentionWindow(2, 2, true, 2, 3), Cut.UPSTREAM, Trim.UPSTREAM))
        .containsExactly(
            "P<> [T0 V0 q]",
            "P<> [T0 V0 q] A(w0.0 w0.1 …) [T1 V1]",
            "P<w0.0 w0.1> [T1 V1] A(…) [T2 V2]",
            "P<w0.0 w0.1> [T2 V2] A(w2.0 w2.1 w2.2 …) [T3 V3]",
            "P<w0.0 w0.1 w2.1 w2.2> [T3 V3] A(w3.0 …) [T4 V4]",
            "P<w0.0 w0.1 w2.2 w3.0> [T4 V4] A(w4.0 w4.1 …) [T5 V5]",
            "P<w0.0 w0.1 w4.0 w4.1> [T5 V5] A(w5.0 …) [T6 V6]",
            "P<w0.0 w0.1 w4.1 w5.0> [T6 V6] A(w6.0 w6.1 …) [T7 V7]");
  }

  @Test
  void keepsOneTokenMoreWithTheExactCut() {
    assertThat(trace(new RetentionWindow(2, 2, true, 2, 3), Cut.EXACT, Trim.IDENTITY).subList(3, 8))
        .containsExactly(
            "P<w0.0 w0.1> [T2 V2] A(w2.0 w2.1 w2.2 …) [T3 V3]",
            "P<w0.0 w0.1 w2.0 w2.1 w2.2> [T3 V3] A(w3.0 …) [T4 V4]",
            "P<w0.0 w0.1 w2.1 w2.2 w3.0> [T4 V4] A(w4.0 w4.1 …) [T5 V5]",
            "P<w0.0 w0.1 w3.0 w4.0 w4.1> [T5 V5] A(w5.0 …) [T6 V6]",
            "P<w0.0 w0.1 w4.0 w4.1 w5.0> [T6 V6] A(w6.0 w6.1 …) [T7 V7]");
  }

  @Test
  void keepsVisionWithoutMarkerWhenTheVisualWindowIsLonger() {
    List<String> trace = trace(RetentionWindow.uncut(2, 3), Cut.EXACT, Trim.IDENTITY);

    assertThat(trace.get(2)).isEqualTo("P<w0.0 w0.1> [V0 q] [T1 V1] A(…) [T2 V2]");
    assertThat(trace.get(3)).isEqualTo("P<w0.0 w0.1> [V1] [T2 V2] A(w2.0 w2.1 w2.2 …) [T3 V3]");
  }

  @Test
  void keepsMarkerWithoutVisionWhenTheTextWindowIsLonger() {
    List<String> trace = trace(RetentionWindow.uncut(3, 1), Cut.EXACT, Trim.IDENTITY);

    assertThat(trace.get(2)).isEqualTo("P<> [T0 q] A(w0.0 w0.1 …) [T1] A(…) [T2 V2]");
  }

  private static List<String> trace(RetentionWindow window, Cut cut, Trim trim) {
    FakeStream stream =
        new FakeStream(
            new StreamingVlmPolicy(window, FakeStream.TOKENS, cut, trim),
            new VideoGrid(1, 2, 3, 2f));
    List<String> trace = new ArrayList<>();
    for (int round = 0; round < PHRASES.length; round++) {
      trace.add(render(stream.ask()));
      int[] turn = new int[PHRASES[round] + 2];
      for (int k = 0; k < PHRASES[round]; k++) {
        turn[k] = word(round, k);
      }
      turn[turn.length - 2] = FakeStream.PAUSE;
      turn[turn.length - 1] = FakeStream.END;
      stream.answer(turn);
    }
    return trace;
  }

  private static int word(int round, int k) {
    return 1000 + 10 * round + k;
  }

  private static String render(StreamMemory memory) {
    StringBuilder text = new StringBuilder("P<");
    List<String> words = new ArrayList<>();
    List<String> turn = new ArrayList<>();
    for (Slice slice : memory.slices()) {
      switch (slice.kind()) {
        case MEMORY -> words.addAll(words(slice));
        case MEMORY_CLOSE -> text.append(String.join(" ", words)).append('>');
        case USER_OPEN -> turn.clear();
        case MARKER -> turn.add("T" + slice.round());
        case VISION -> turn.add("V" + slice.round());
        case QUERY -> turn.add("q");
        case USER_CLOSE -> text.append(" [").append(String.join(" ", turn)).append(']');
        case GENERATED -> text.append(" A(").append(String.join(" ", words(slice))).append(')');
        case SYSTEM, MEMORY_OPEN, ASSISTANT_OPEN, ASSISTANT_CLOSE -> {}
      }
    }
    return text.toString();
  }

  private static List<String> words(Slice slice) {
    return Arrays.stream(slice.segment().ids(), slice.from(), slice.to())
        .filter(id -> id != FakeStream.END)
        .mapToObj(
            id ->
                id == FakeStream.PAUSE
                    ? "…"
                    : "w%d.%d".formatted((id - 1000) / 10, (id - 1000) % 10))
        .toList();
  }
}
