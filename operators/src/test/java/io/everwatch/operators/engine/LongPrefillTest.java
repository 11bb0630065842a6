// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.model.StreamSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Prompts of several pieces: what they compute, and whom they keep waiting. */
class LongPrefillTest {
  private static final int WORDS = 30;

  private static StreamSettings settings(int piece) {
    return Prefills.inPieces(TestEngine.settings(), piece, WORDS + 10);
  }

  /** Answers with {@link #WORDS} words. */
  private static RoundInput speaking(String stream, long chunk) {
    return LoopHarness.chunk(stream, chunk, 2).answered(LoopHarness.words(WORDS));
  }

  private static DeviceException refused() {
    return new DeviceException(Failure.REFUSED, "no memory left on the test's device");
  }

  /** Three rounds with long prompts in the middle, alone. */
  private static List<Object> alone(String stream, int piece) {
    LoopHarness harness = new LoopHarness();
    Session session = harness.session(stream, settings(piece));
    for (int chunk = 0; chunk < 3; chunk++) {
      harness.submit(session, LoopHarness.chunk(stream, chunk, chunk == 1 ? 300 : 2));
      harness.runOut();
    }
    return harness.all(session);
  }

  @Test
  void cutsChangeNothingWhereRowsAreComputedOneByOne() {
    assertThat(alone("a", 128)).isEqualTo(alone("a", 0)).isEqualTo(alone("a", 384));
    assertThat(alone("a", 128)).isNotEqualTo(alone("b", 128));
  }

  @Test
  void aLongPromptTakesOnePieceAStepBetweenTheTokensOfTheOthers() {
    LoopHarness harness = new LoopHarness();
    List<Session> speakers = new ArrayList<>();
    for (String stream : List.of("a", "b", "c")) {
      Session speaker = harness.session(stream, settings(128));
      harness.submit(speaker, speaking(stream, 0));
      speakers.add(speaker);
    }
    harness.step();
    Session asker = harness.session("long", settings(128));
    int rows = harness.submit(asker, LoopHarness.chunk("long", 0, 300));
    assertThat(rows).isGreaterThan(600);
    List<String> steps = new ArrayList<>();
    int computed = 0;
    while (computed < rows) {
      List<String> asked = harness.step();
      int piece = Integer.parseInt(asked.get(0).replaceAll("prefill \\[(\\d+)]", "$1"));
      assertThat(piece).isBetween(1, 128);
      computed += piece;
      int speaking = computed < rows ? 3 : 4;
      assertThat(asked).containsExactly("prefill [" + piece + "]", "decode " + speaking);
      steps.add(asked.get(0));
    }
    assertThat(computed).isEqualTo(rows);
    assertThat(steps).hasSize((rows + 127) / 128);
    assertThat(speakers).allMatch(speaker -> !harness.results.containsKey(speaker));
    harness.runOut();
    assertThat(harness.results).hasSize(4);
    assertThat(harness.loop.metrics(0).prompts())
        .isEqualTo(
            harness.results.values().stream().mapToLong(list -> list.get(0).promptRows()).sum());
  }

  @Test
  void shortPromptsOvertakeLongOnesAndLongOnesTakeTurnsByAge() {
    LoopHarness harness = new LoopHarness();
    Session first = harness.session("first", settings(128));
    Session second = harness.session("second", settings(128));
    int rows = harness.submit(first, LoopHarness.chunk("first", 0, 140));
    assertThat(harness.submit(second, LoopHarness.chunk("second", 0, 140))).isEqualTo(rows);
    assertThat(harness.step()).containsExactly("prefill [128]");
    assertThat(harness.step()).containsExactly("prefill [128]");
    Session brief = harness.session("brief", settings(128));
    int few = harness.submit(brief, speaking("brief", 0));
    assertThat(harness.step())
        .containsExactly("prefill [%d, %d]".formatted(rows - 256, few), "decode 2");
    assertThat(harness.step().get(0)).isEqualTo("prefill [128]");
    harness.runOut();
    assertThat(harness.results.keySet()).containsExactlyInAnyOrder(first, second, brief);
  }

  @Test
  void theBitsOfALongPromptDoNotDependOnWhoElseIsThere() {
    Random random = new Random(5);
    LoopHarness harness = new LoopHarness();
    List<Session> sessions = new ArrayList<>();
    List<Integer> chunks = new ArrayList<>();
    List<String> streams = List.of("a", "b", "c", "d");
    for (String stream : streams) {
      sessions.add(harness.session(stream, settings(128)));
      chunks.add(0);
    }
    network(harness, random);
    while (chunks.stream().anyMatch(done -> done < 3)) {
      int s = random.nextInt(streams.size());
      int done = harness.results.getOrDefault(sessions.get(s), List.of()).size();
      if (chunks.get(s) == done && done < 3) {
        harness.submit(
            sessions.get(s), LoopHarness.chunk(streams.get(s), done, done == 1 ? 300 : 2));
        chunks.set(s, done + 1);
      } else if (harness.loop.hasWork()) {
        harness.step();
      }
    }
    harness.runOut();
    for (int s = 0; s < streams.size(); s++) {
      assertThat(harness.all(sessions.get(s))).isEqualTo(alone(streams.get(s), 128));
    }
  }

  /** Refuses now and then what several take part in. */
  private static void network(LoopHarness harness, Random random) {
    harness.network.beforePrefill =
        prompts -> {
          if (prompts.size() > 1 && random.nextInt(3) == 0) {
            throw refused();
          }
        };
    harness.network.beforeDecode =
        ids -> {
          if (ids.length > 1 && random.nextInt(8) == 0) {
            throw refused();
          }
        };
  }

  @Test
  void aPieceThatIsRefusedIsTriedAgainFromTheBeginningOfItsPrompt() {
    LoopHarness harness = new LoopHarness();
    Session session = harness.session("a", settings(128));
    harness.submit(session, LoopHarness.chunk("a", 0, 2));
    harness.runOut();
    AtomicInteger calls = new AtomicInteger();
    harness.network.beforePrefill =
        prompts -> {
          harness.log(prompts);
          if (calls.incrementAndGet() == 3) {
            throw refused();
          }
        };
    harness.submit(session, LoopHarness.chunk("a", 1, 300));
    harness.runOut();
    harness.submit(session, LoopHarness.chunk("a", 2, 2));
    harness.runOut();
    assertThat(harness.all(session)).isEqualTo(alone("a", 128));
    assertThat(harness.network.openContexts()).isZero();
  }

  @Test
  void aPromptWhosePieceIsRefusedForEverFailsAndGivesItsRowsBack() {
    LoopHarness harness = new LoopHarness();
    Session session = harness.session("a", settings(128));
    harness.submit(session, LoopHarness.chunk("a", 0, 2));
    harness.runOut();
    List<Object> before = harness.all(session);
    int used = harness.rowsUsed();
    AtomicInteger calls = new AtomicInteger();
    harness.network.beforePrefill =
        prompts -> {
          if (calls.incrementAndGet() % 3 == 0) {
            throw refused();
          }
        };
    harness.submit(session, LoopHarness.chunk("a", 1, 300));
    harness.runOut();
    RoundResult failed = harness.results.getOrDefault(session, List.of()).get(1);
    assertThat(failed.outcome()).isInstanceOf(Failed.class);
    assertThat(calls).hasValue(6); // two pieces and the one that fails, twice
    before.add(1, TestEngine.text(failed));
    assertThat(harness.all(session)).isEqualTo(before);
    assertThat(harness.rowsUsed()).isLessThanOrEqualTo(used);
    assertThat(harness.network.openContexts()).isZero();
  }

  @Test
  void aStreamReleasedInTheMiddleOfItsPromptLeavesNothing() {
    LoopHarness harness = new LoopHarness();
    Session session = harness.session("a", settings(128));
    harness.submit(session, LoopHarness.chunk("a", 0, 300));
    harness.step();
    harness.step();
    assertThat(harness.rowsUsed()).isPositive();
    assertThat(harness.network.openContexts()).isEqualTo(1);
    harness.loop.release(session);
    assertThat(harness.rowsUsed()).isZero();
    assertThat(harness.network.openContexts()).isZero();
    assertThat(harness.loop.hasWork()).isFalse();
  }

  @Test
  void aSnapshotInTheMiddleOfAPromptIsThatBeforeTheRound() {
    LoopHarness harness = new LoopHarness();
    Session session = harness.session("a", settings(128));
    harness.submit(session, LoopHarness.chunk("a", 0, 2));
    harness.runOut();
    List<Object> before = harness.all(session);
    harness.submit(session, LoopHarness.chunk("a", 1, 300));
    harness.step();
    harness.step();
    assertThat(harness.all(session)).isEqualTo(before);
    assertThat(harness.loop.hasWork()).isTrue();
  }

  @Test
  void aRefusedPromptGoesOnPieceByPieceBetweenTheTokensOfTheOthers() {
    LoopHarness harness = new LoopHarness();
    Session speaker = harness.session("a", settings(128));
    harness.submit(speaker, speaking("a", 0));
    harness.step();
    Session asker = harness.session("long", settings(128));
    int rows = harness.submit(asker, LoopHarness.chunk("long", 0, 200));
    AtomicInteger calls = new AtomicInteger();
    harness.network.beforePrefill =
        prompts -> {
          harness.log(prompts);
          if (calls.incrementAndGet() == 2) {
            throw refused();
          }
        };
    assertThat(harness.step()).containsExactly("prefill [128]", "decode 1");
    assertThat(harness.step()).containsExactly("prefill [128]", "decode 1"); // refused
    for (int left = rows; left > 0; left -= 128) {
      List<String> asked = harness.step();
      assertThat(asked.subList(0, 2))
          .containsExactly("prefill [%d]".formatted(Math.min(left, 128)), "decode 1");
      assertThat(asked).hasSize(left > 128 ? 2 : 3); // its own first token, apart
    }
    harness.runOut();
    assertThat(harness.results.keySet()).containsExactlyInAnyOrder(speaker, asker);
  }

  @Test
  void longPromptsThatWaitKeepNobodyOut() {
    LoopHarness harness = new LoopHarness();
    int longOnes = 2 * TestEngine.options().roundsPerStep();
    int rows = 0;
    for (int i = 0; i < longOnes; i++) {
      Session asker = harness.session("long" + i, settings(128));
      rows = harness.submit(asker, LoopHarness.chunk("long" + i, 0, 70));
    }
    harness.step();
    int used = harness.rowsUsed();
    assertThat(used).isBetween(rows, 2 * rows - 1); // one has its rows
    for (int i = 0; i < 5; i++) {
      Session brief = harness.session("brief" + i, settings(128));
      int few = harness.submit(brief, speaking("brief" + i, 0));
      assertThat(harness.step().get(0)).contains(", " + few + "]");
    }
    harness.runOut();
    assertThat(harness.results).hasSize(longOnes + 5);
  }

  @Test
  void theWatchdogHearsOfEachPassOfAStep() {
    Duration bound = Duration.ofSeconds(8); // it looks every second
    Watchdog watchdog = new Watchdog(bound, () -> {});
    LoopHarness harness = new LoopHarness(10_000, watchdog);
    for (int i = 0; i < 12; i++) {
      harness.submit(harness.session("s" + i, settings(0)), LoopHarness.chunk("s" + i, 0, 2));
    }
    List<Boolean> stuck = new ArrayList<>();
    AtomicInteger calls = new AtomicInteger();
    harness.network.beforePrefill =
        prompts -> {
          stuck.add(watchdog.look(calls.incrementAndGet() * 1_000_000_000L));
          if (calls.get() == 1) {
            throw refused(); // so that each is tried alone
          }
        };
    harness.step();
    harness.step();
    assertThat(calls).hasValue(13);
    assertThat(stuck).doesNotContain(true);
  }
}
