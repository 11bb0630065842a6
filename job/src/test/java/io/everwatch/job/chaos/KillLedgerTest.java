// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.chaos.KillLedger.Entry;
import io.everwatch.job.chaos.KillLedger.Outcome;
import io.everwatch.job.chaos.KillPlan.Kill;
import io.everwatch.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KillLedgerTest {
  private static final List<Kill> PLAN = KillPlan.of(7, 3, /* doubles= */ false);

  @Test
  void findsTheFirstChunkThatIsNotAsItShouldBe() throws Exception {
    List<String> right = said(10, "");
    List<String> changed = new ArrayList<>(right);
    changed.set(6, said(10, "other").get(6));
    List<String> lost = new ArrayList<>(right);
    lost.remove(3);

    assertThat(different(right, right)).isEmpty();
    assertThat(different(right, changed)).containsExactly(Map.entry("a", 6L));
    assertThat(different(right, lost)).containsExactly(Map.entry("a", 4L));
    assertThat(different(right, right.subList(0, 9))).containsExactly(Map.entry("a", 9L));
    assertThat(different(right.subList(0, 9), right)).containsExactly(Map.entry("a", 9L));
    assertThat(KillLedger.firstDifferent(Map.of(), Map.of("b", right))).containsKey("b");
  }

  @Test
  void putsADifferenceDownToTheKillBeforeIt() {
    KillLedger ledger = new KillLedger(7);
    for (int i = 0; i < PLAN.size(); i++) {
      ledger.add(new Entry(PLAN.get(i), 20 * i, Map.of("a", 10L * (i + 1)), 1, 2, 1));
    }

    assertThat(ledger.rows(outcome(Map.of()))).allMatch(row -> row.endsWith("| equal |"));
    assertThat(ledger.rows(outcome(Map.of("a", 25L))))
        .satisfiesExactly(
            row -> assertThat(row).endsWith("| equal |"),
            row -> assertThat(row).endsWith("| **differs** from chunk 25 of a |"),
            row -> assertThat(row).endsWith("| equal |"));
  }

  @Test
  void isGoodOnlyWhenAllOfItIs() {
    assertThat(outcome(Map.of()).good()).isTrue();
    assertThat(outcome(Map.of("a", 1L)).good()).isFalse();
    assertThat(new Outcome(Map.of(), 10, "1 violations", false, 20, 20, 0).good()).isFalse();
    assertThat(new Outcome(Map.of(), 10, "clean", true, 20, 19, 0).good()).isFalse();
    assertThat(new Outcome(Map.of(), 10, "clean", true, 20, 20, 1).good()).isFalse();
  }

  private static Outcome outcome(Map<String, Long> different) {
    return new Outcome(different, 10, "clean", true, 20, 20, 0);
  }

  private static Map<String, Long> different(List<String> expected, List<String> said)
      throws Exception {
    return KillLedger.firstDifferent(Map.of("a", expected), Map.of("a", said));
  }

  private static List<String> said(int chunks, String text) {
    List<String> events = new ArrayList<>();
    for (int chunk = 0; chunk < chunks; chunk++) {
      byte[] bytes =
          WireFormat.encode(
              WireFormat.newTextEvent()
                  .setStreamId("a")
                  .setChunk(chunk)
                  .setStartMicros(chunk * 1_000_000L)
                  .setEndMicros((chunk + 1) * 1_000_000L)
                  .setText(text)
                  .build());
      events.add(new String(bytes, StandardCharsets.ISO_8859_1));
    }
    return events;
  }
}
