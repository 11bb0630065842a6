// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.flink.UnderstandSettings.Overload;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Chunks that are too far behind: who is skipped, how it is told, and what it does to a stream. */
@Timeout(60)
class OverloadTest {
  private static final UnderstandSettings LIVE =
      Bench.PATIENT.with(new Overload(OverloadMode.LIVE, Duration.ofSeconds(5), 8));
  private static final String REASON = "overload: more than is understood within 5000 ms";
  private static final OverloadDecisions ALL = candidate -> Optional.of("overload: all of it");
  private static final long START_MILLIS = Camera.START_MICROS / 1000;

  private final FakeEngines fake = FakeEngines.start();
  private final Camera camera = new Camera("a");

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void liveSkipsTheOldestChunksAndTellsARunOnce() throws Exception {
    try (Bench bench = new Bench(fake.engine(), LIVE)) {
      fallBehind(bench);

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound)
          .containsExactly(tuple(0L, 0L), tuple(1L, -1L), tuple(5L, 1L));
      TextEvent skipped = bench.events().get(1);
      assertThat(skipped.getKind()).isEqualTo(TextKind.GAP);
      assertThat(skipped.getSkipped().getFirstChunk()).isEqualTo(1);
      assertThat(skipped.getSkipped().getLastChunk()).isEqualTo(4);
      assertThat(skipped.getSkipped().getReason()).isEqualTo(REASON);
      assertThat(skipped.getStartMicros()).isEqualTo(Camera.START_MICROS + 1_000_000);
      assertThat(skipped.getEndMicros()).isEqualTo(Camera.START_MICROS + 5_000_000);
      assertThat(skipped.getFrames().getReceived()).isEqualTo(8);
      assertThat(skipped.getFrames().getUsed()).isZero();
      assertThat(skipped.getFrames().getMissing()).isEqualTo(8);
      assertThat(skipped.getFirstSequence()).isEqualTo(2);
      assertThat(skipped.getLastSequence()).isEqualTo(9);
      assertThat(skipped.getSources()).containsExactly(new SourceRange("frames", 0, 2L, 9L));
    }
  }

  @Test
  void blockLosesNothingHoweverFarBehind() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      fallBehind(bench);

      assertThat(bench.events()).extracting(TextEvent::getKind).doesNotContain(TextKind.GAP);
      assertThat(bench.events())
          .extracting(TextEvent::getChunk)
          .containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
    }
  }

  @Test
  void aCommandChangesTheModeOfOneStreamAlsoAfterARestore() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(1, camera);
      bench.offer(camera.command("c", CommandKind.SET, Map.of("overload", "live"), ""));
      bench.settle();
      state = bench.snapshot();
    }
    try (Bench bench =
        new Bench(
            fake.engine(),
            Bench.PATIENT.with(new Overload(OverloadMode.BLOCK, Duration.ofSeconds(5), 8)),
            1,
            0,
            state,
            null)) {
      bench.harness.setProcessingTime(START_MILLIS + 60_000);
      bench.offerSeconds(2, camera);
      Camera other = new Camera("b", 1);
      bench.offerSeconds(2, other);
      bench.offer(camera.end());
      bench.settle();

      assertThat(kinds(bench, "a")).containsExactly(TextKind.GAP, TextKind.ENDED);
      assertThat(kinds(bench, "b")).hasSize(2).doesNotContain(TextKind.GAP);
    }
  }

  @Test
  void aRunThatWasNotToldYetIsToldAfterARestore() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = deciding(ALL, null)) {
      bench.offerSeconds(3, camera);
      bench.settle();
      assertThat(bench.events()).as("the run is not over").isEmpty();
      state = bench.snapshot();
    }
    try (Bench bench = deciding(candidate -> Optional.empty(), state)) {
      bench.offerSeconds(1, camera);
      bench.settle();
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound)
          .containsExactly(tuple(0L, -1L), tuple(3L, 0L));
      assertThat(bench.events().get(0).getSkipped().getLastChunk()).isEqualTo(2);
    }
  }

  @Test
  void aRunIsToldAfterAMinuteOfVideoAndAtTheEnd() throws Exception {
    try (Bench bench = deciding(ALL, null)) {
      bench.offerSeconds(130, camera);
      bench.settle();
      assertThat(ranges(bench)).containsExactly(tuple(0L, 59L), tuple(60L, 119L));
      bench.offer(camera.end());
      bench.settle();

      assertThat(ranges(bench)).endsWith(tuple(120L, 129L));
      assertThat(bench.events()).extracting(TextEvent::getKind).last().isEqualTo(TextKind.ENDED);
      assertThat(bench.events().stream().mapToInt(e -> e.getFrames().getReceived()).sum())
          .isEqualTo(260);
      assertThat(bench.submitted).isEmpty();
    }
  }

  @Test
  void commandsGapsClockResetsAndOtherReasonsEndARun() throws Exception {
    try (Bench bench =
        deciding(c -> Optional.of("overload: " + (c.chunk() < 2 ? "first" : "then")), null)) {
      bench.offerSeconds(4, camera); // two reasons
      bench.offer(camera.command("c", CommandKind.SET, Map.of("seed", "1"), ""));
      bench.offerSeconds(1, camera);
      camera.rest(5);
      bench.offerSeconds(1, camera);
      camera.setClock(3600);
      bench.offerSeconds(2, camera);
      bench.offer(camera.end());
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getKind, TextEvent::getChunk, TextEvent::getClockReset)
          .containsExactly(
              tuple(TextKind.GAP, 0L, false),
              tuple(TextKind.GAP, 2L, false),
              tuple(TextKind.NOTICE, 4L, false),
              tuple(TextKind.GAP, 4L, false), // names the command
              tuple(TextKind.GAP, 5L, false), // no frames
              tuple(TextKind.GAP, 10L, false),
              tuple(TextKind.GAP, 11L, true),
              tuple(TextKind.ENDED, 13L, false));
      assertThat(bench.events().get(3).getAppliedCommands()).containsExactly("c");
      assertThat(bench.events().get(4).getSkipped().getReason()).isEqualTo("no frames");
    }
  }

  @Test
  void aLongRunDropsWhatWasSeenBeforeItAsAStopDoes() throws Exception {
    try (Bench bench =
        deciding(
            c -> c.chunk() > 0 && c.chunk() < 18 ? Optional.of("overload") : Optional.empty(),
            null)) {
      bench.offerSeconds(20, camera);
      bench.settle();

      assertThat(bench.submitted)
          .extracting(input -> input.chunk(), input -> input.dropVision())
          .containsExactly(tuple(0L, false), tuple(18L, true), tuple(19L, false));
    }
  }

  private static final Map<String, Integer> DECIDED = new ConcurrentHashMap<>();

  @Test
  void aChunkIsDecidedOnOnceHoweverLongItWaits() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT)) {
      fake.hold();
      bench.offerSeconds(1, camera);
      bench.offerSeconds(1, new Camera("b", 1));
      state = bench.snapshot();
      fake.letAllGo();
    }
    // Both come back from state, and there is room for the pictures of one only.
    UnderstandSettings narrow = Bench.IMPATIENT.with(new UnderstandSettings.Limits(64, 1, 1, 0));
    OverloadDecisions counted =
        candidate -> {
          DECIDED.merge(candidate.stream().streamId(), 1, Integer::sum);
          return Optional.empty();
        };
    DECIDED.clear();
    fake.hold();
    try (Bench bench = new Bench(fake.engine(), narrow, counted, 1, 0, state, null)) {
      assertThat(bench.submitted).hasSize(1);
      assertThat(DECIDED).as("the other waits, and it was decided").hasSize(2);
      fake.letAllGo();
      bench.settle();
      assertThat(bench.events()).hasSize(2);
    }
    assertThat(DECIDED).containsOnly(Map.entry("a", 1), Map.entry("b", 1));
  }

  /** Six seconds come while the engine stands still; ten seconds later it goes on. */
  private void fallBehind(Bench bench) throws Exception {
    fake.hold();
    bench.harness.setProcessingTime(START_MILLIS + 1000);
    bench.offerSeconds(6, camera);
    bench.harness.setProcessingTime(START_MILLIS + 10_000);
    fake.letAllGo();
    bench.settle();
  }

  private Bench deciding(
      OverloadDecisions decisions, @org.jspecify.annotations.Nullable OperatorSubtaskState state)
      throws Exception {
    return new Bench(fake.engine(), Bench.PATIENT, decisions, 1, 0, state, null);
  }

  private static List<TextKind> kinds(Bench bench, String stream) throws Exception {
    return bench.events().stream()
        .filter(event -> event.getStreamId().equals(stream))
        .map(TextEvent::getKind)
        .toList();
  }

  private static List<org.assertj.core.groups.Tuple> ranges(Bench bench) throws Exception {
    return bench.events().stream()
        .filter(event -> event.getKind() == TextKind.GAP)
        .map(e -> tuple(e.getSkipped().getFirstChunk(), e.getSkipped().getLastChunk()))
        .toList();
  }
}
