// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpreadRegistryTest {
  @ParameterizedTest(name = "{0} streams over {1} subtasks: {2} to {3} each")
  @CsvSource({
    "64, 8, 8, 8",
    "64, 5, 12, 13",
    "64, 3, 21, 22",
    "256, 8, 32, 32",
    "256, 5, 50, 52",
    "1000, 8, 125, 125",
    "7, 8, 0, 1",
  })
  void givesAnEvenLoadAtAnyParallelism(int streams, int parallelism, int least, int most) {
    SpreadRegistry registry = ofSize(streams);

    IntSummaryStatistics load =
        IntStream.range(0, parallelism)
            .map(
                subtask ->
                    (int)
                        IntStream.range(0, streams)
                            .filter(i -> registry.subtask("camera-" + i, parallelism) == subtask)
                            .count())
            .summaryStatistics();

    assertThat(load.getMin()).isEqualTo(least);
    assertThat(load.getMax()).isEqualTo(most);
  }

  @Test
  void neverChangesTheSpreadOfAPlace() {
    // State lies where these numbers say: a change here loses the state of every registered stream.
    assertThat(IntStream.range(0, 12).map(SpreadRegistry::spread))
        .containsExactly(312, 84, 75, 57, 361, 70, 300, 163, 357, 301, 117, 65);
    assertThat(SpreadRegistry.spread(128 + 5)).isEqualTo(SpreadRegistry.spread(5));
    assertThat(IntStream.range(0, SpreadRegistry.KEY_GROUPS).map(SpreadRegistry::spread).distinct())
        .hasSize(SpreadRegistry.KEY_GROUPS);
  }

  @Test
  void sendsConsecutivePlacesFarApart() {
    assertThat(
            IntStream.range(0, 6)
                .map(SpreadRegistry::spread)
                .map(spread -> KeyGroupRangeAssignment.assignToKeyGroup(spread, 128)))
        .containsExactly(0, 64, 32, 96, 16, 80);
  }

  @Test
  void leavesAStreamAsItWasWhenOthersComeAndGo() {
    Map<String, Integer> places = new HashMap<>(Map.of("a", 0, "b", 1, "c", 2));
    SpreadRegistry before = new SpreadRegistry(places);
    places.remove("a");
    places.put("d", 3);
    SpreadRegistry after = new SpreadRegistry(places);

    assertThat(after.key("b")).isEqualTo(before.key("b"));
    assertThat(after.key("c")).isEqualTo(before.key("c"));
    assertThat(after.key("a")).isEqualTo(StreamKey.of("a"));
  }

  @Test
  void namesStreamSpreadsAndRemedyOfAContradiction() {
    SpreadRegistry registry = new SpreadRegistry(Map.of("late", 3, "moved", 4));
    List<StreamKey> stored =
        List.of(
            StreamKey.of("late"),
            new StreamKey(SpreadRegistry.spread(9), "moved"),
            new StreamKey(SpreadRegistry.spread(2), "removed"),
            StreamKey.of("unlisted"));

    assertThat(registry.contradictions(stored).orElseThrow())
        .contains(
            "state of 3 stream(s)",
            "stream late has state under spread %d and place 3, which gives %d; remove its line"
                .formatted("late".hashCode(), SpreadRegistry.spread(3)),
            "stream moved has state under spread %d and place 4"
                .formatted(SpreadRegistry.spread(9)),
            "give it back its line, with place 9 or any",
            "stream removed has state under spread %d and no line of the registry"
                .formatted(SpreadRegistry.spread(2)),
            "with place 2 or any")
        .doesNotContain("unlisted");
    assertThat(registry.contradictions(List.of(StreamKey.of("unlisted")))).isEmpty();
  }

  @Test
  void refusesPlacesThatCannotBe() {
    assertThatThrownBy(() -> new SpreadRegistry(Map.of("a", -1))).hasMessageContaining("place -1");
    assertThatThrownBy(() -> new SpreadRegistry(Map.of("a", SpreadRegistry.MAX_PLACES)))
        .hasMessageContaining("expected 0 to 65535");
  }

  private static SpreadRegistry ofSize(int streams) {
    return new SpreadRegistry(
        IntStream.range(0, streams)
            .boxed()
            .collect(Collectors.toMap(i -> "camera-" + i, place -> place)));
  }
}
