// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.flink.Command.Kind;
import io.everwatch.operators.model.SamplingChanges;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerdictTest {
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
            new Command("c", Kind.SET, Map.of("seed", "7", "top_k", "many"), ""),
            false);

    assertThat(verdict.obeyed()).isFalse();
    assertThat(verdict.orders().sampling()).isEmpty();
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
      Verdict verdict = Verdict.of(orders, new Command("c" + i, Kind.RESET, Map.of(), ""), false);
      assertThat(verdict.obeyed()).isTrue();
      orders = verdict.orders();
    }
    assertRefused(orders, Kind.RESET, Map.of(), "", "256 commands took effect");
    assertThat(Verdict.of(orders.named(), new Command("n", Kind.RESET, Map.of(), ""), false))
        .returns(true, Verdict::obeyed);
  }

  private static StreamOrders obey(StreamOrders orders, Kind kind, Map<String, String> settings) {
    Verdict verdict = Verdict.of(orders, new Command("c", kind, settings, ""), false);
    assertThat(verdict.obeyed()).as(verdict.text()).isTrue();
    return verdict.orders();
  }

  private static void assertRefused(
      StreamOrders before, Kind kind, Map<String, String> settings, String text, String... says) {
    Verdict verdict = Verdict.of(before, new Command("again", kind, settings, text), false);
    assertThat(verdict.text()).startsWith("refused: ").contains(says);
    assertThat(verdict.obeyed()).isFalse();
    assertThat(verdict.forget()).isFalse();
    assertThat(verdict.orders()).isEqualTo(before.withSeen("again"));
  }
}
