// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.flink.Command.Kind;
import io.everwatch.operators.model.SamplingChanges;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerdictTest {
  private static final long SECOND = 1_000_000;
  private static final StreamOrders STOPPED = StreamOrders.NONE.withStoppedBy("before");

  @Test
  void refusesWhatWouldDoNothingOrCannotBeDone() {
    assertRefused(StreamOrders.NONE, Kind.START, Map.of(), "", "the stream runs");
    assertRefused(STOPPED, Kind.STOP, Map.of(), "", "stopped, by command before");
    assertRefused(StreamOrders.NONE, Kind.STOP, Map.of("seed", "1"), "", "only START and SET");
    assertRefused(StreamOrders.NONE, Kind.STOP, Map.of(), "now", "only PROMPT");
    assertRefused(StreamOrders.NONE, Kind.RESET, Map.of(), "now", "only PROMPT");
    assertRefused(StreamOrders.NONE, Kind.PROMPT, Map.of(), " ", "1 characters", "not all");
    assertRefused(
        StreamOrders.NONE,
        Kind.PROMPT,
        Map.of(),
        "x".repeat(SamplingChanges.MAX_INSTRUCTION + 1),
        "8193 characters");
    assertRefused(StreamOrders.NONE, Kind.SET, Map.of(), "", "no setting", "temperature");
    assertRefused(
        StreamOrders.NONE, Kind.SET, Map.of("chunk", "2 s"), "", "chunk is fixed while the job");
    assertRefused(
        StreamOrders.NONE, Kind.SET, Map.of("tempurature", "1"), "", "unknown key tempurature");
    assertRefused(
        StreamOrders.NONE,
        Kind.SET,
        Map.of("temperature", "hot", "top_p", "2"),
        "",
        "temperature is \"hot\"",
        "top_p is \"2\"");
  }

  @Test
  void oneBadSettingLeavesTheOthersUnchangedToo() {
    Verdict verdict =
        Verdict.of(
            StreamOrders.NONE,
            new Command("c", Kind.SET, Map.of("seed", "7", "top_k", "many", "fps", "4"), ""),
            false,
            SECOND);

    assertThat(verdict.obeyed()).isFalse();
    assertThat(verdict.orders().sampling()).isEmpty();
    assertThat(verdict.orders().fps()).isEmpty();
    assertThat(verdict.framesPerChunk()).isEmpty();
  }

  @Test
  void frameRateAndOverloadModeAreSettingsOfTheStream() {
    Verdict verdict =
        Verdict.of(
            StreamOrders.NONE,
            new Command("c", Kind.SET, Map.of("fps", "2.5", "overload", "live", "seed", "1"), ""),
            false,
            2 * SECOND);

    assertThat(verdict.text()).isEqualTo("set: fps=2.5, overload=live, seed=1");
    assertThat(verdict.framesPerChunk()).contains(5);
    assertThat(verdict.orders().fps()).isEqualTo("2.5");
    assertThat(verdict.orders().overload()).contains(OverloadMode.LIVE);
    StreamOrders later = obey(verdict.orders(), Kind.SET, Map.of("seed", "8"));
    assertThat(later.overload()).as("what is not named stays").contains(OverloadMode.LIVE);
    assertThat(obey(later, Kind.SET, Map.of("OVERLOAD", "Block")).overload())
        .contains(OverloadMode.BLOCK);
  }

  @Test
  void refusesFrameRatesThatGiveNoWholeNumberOfFrames() {
    for (String fps : List.of("2.5", "0", "-1", "61", "0.5", "many", "NaN")) {
      assertRefused(StreamOrders.NONE, Kind.SET, Map.of("fps", fps), "", "fps", fps, "expected");
    }
    assertRefused(
        StreamOrders.NONE,
        Kind.SET,
        Map.of("fps", "2.5", "overload", "drop", "seed", "x"),
        "",
        "2.5 frames per chunk of 1 s, expected a whole number from 1 to 480",
        "overload is \"drop\", expected block, live or merge",
        "seed is \"x\"");
    assertThat(obey(StreamOrders.NONE, Kind.SET, Map.of("fps", "3")).fps())
        .as("odd numbers are fine: the model sees the last frame twice")
        .isEqualTo("3");
  }

  @Test
  void laterSettingsAreAddedToEarlierOnes() {
    StreamOrders first = obey(StreamOrders.NONE, Kind.SET, Map.of("seed", "7", "topK", "5"));
    StreamOrders second = obey(first, Kind.SET, Map.of("seed", "8"));

    assertThat(second.sampling()).containsExactly(Map.entry("seed", "8"), Map.entry("top_k", "5"));
  }

  @Test
  void remembersAFixedNumberOfCommands() {
    StreamOrders orders = StreamOrders.NONE;
    for (int i = 0; i <= StreamOrders.REMEMBERED; i++) {
      orders = orders.withSeen("c" + i);
    }
    assertThat(orders.seen())
        .hasSize(StreamOrders.REMEMBERED)
        .startsWith("c1")
        .endsWith("c" + StreamOrders.REMEMBERED);
  }

  @Test
  void refusesCommandsWithoutEndBetweenTwoChunks() {
    StreamOrders orders = StreamOrders.NONE;
    for (int i = 0; i < StreamOrders.REMEMBERED; i++) {
      Verdict verdict =
          Verdict.of(orders, new Command("c" + i, Kind.RESET, Map.of(), ""), false, SECOND);
      assertThat(verdict.obeyed()).isTrue();
      orders = verdict.orders();
    }
    assertRefused(orders, Kind.RESET, Map.of(), "", "256 commands took effect");
    assertThat(
            Verdict.of(orders.named(), new Command("n", Kind.RESET, Map.of(), ""), false, SECOND))
        .returns(true, Verdict::obeyed);
  }

  private static StreamOrders obey(StreamOrders orders, Kind kind, Map<String, String> settings) {
    Verdict verdict = Verdict.of(orders, new Command("c", kind, settings, ""), false, SECOND);
    assertThat(verdict.obeyed()).as(verdict.text()).isTrue();
    return verdict.orders();
  }

  private static void assertRefused(
      StreamOrders before, Kind kind, Map<String, String> settings, String text, String... says) {
    Verdict verdict = Verdict.of(before, new Command("again", kind, settings, text), false, SECOND);
    assertThat(verdict.text()).startsWith("refused: ").contains(says);
    assertThat(verdict.obeyed()).isFalse();
    assertThat(verdict.forget()).isFalse();
    assertThat(verdict.orders()).isEqualTo(before.withSeen("again"));
  }
}
