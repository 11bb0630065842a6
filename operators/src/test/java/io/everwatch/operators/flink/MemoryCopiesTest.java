// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.engine.FakeEngines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When the memory of a stream is written to state, and what is kept of it. */
@Timeout(60)
class MemoryCopiesTest {
  private static final UnderstandSettings EACH_CHECKPOINT =
      Bench.settings(Duration.ofSeconds(10), Duration.ZERO);

  private final FakeEngines fake = FakeEngines.start();
  private final Camera a = new Camera("a", 0);
  private final Camera b = new Camera("b", 1);

  @AfterEach
  void closeEngine() {
    fake.close();
  }

  private static UnderstandSettings every(long seconds) {
    return Bench.settings(Duration.ofSeconds(10), Duration.ofSeconds(seconds));
  }

  @Test
  void writesAMemoryWhenItsLogHasGrownAsLarge() throws Exception {
    try (Bench bench = new Bench(fake.engine(), every(50))) {
      bench.harness.setProcessingTime(1);
      bench.offerSeconds(1, a);
      bench.settle();
      bench.harness.setProcessingTime(50_001); // the first by time: its size is not known before
      bench.offerSeconds(1, a);
      bench.settle();
      bench.awaitSnapshots(1);
      long pieces = bench.stateOf("a").pieces().values().stream().mapToLong(p -> p.length).sum();
      long perSecond = 2L * Camera.SIDE * Camera.SIDE * 3;

      bench.offerSeconds((int) (pieces / perSecond) + 1, a);
      bench.settle();
      bench.awaitSnapshots(2);
    }
  }

  @Test
  void doesNotAskForAMemoryThatIsBeingWritten() throws Exception {
    try (Bench bench = new Bench(fake.engine(), every(50))) {
      bench.harness.setProcessingTime(1);
      bench.offerSeconds(1, a);
      bench.settle();
      bench.harness.setProcessingTime(50_001);
      bench.offerSeconds(1, a);
      bench.settle();
      bench.awaitSnapshots(1);

      bench.snapshotsMayEnd = new CompletableFuture<>();
      while (bench.snapshotsAsked.get() < 2) {
        bench.offerSeconds(1, a);
        bench.settle();
      }
      bench.offerSeconds(2, a);
      bench.settle();
      bench.snapshotsMayEnd.complete(null);
      bench.awaitSnapshots(2);
      assertThat(bench.snapshotsAsked).hasValue(2);
    }
  }

  @Test
  void asksForAMemoryThatCouldNotBeCopiedOncePerInterval() throws Exception {
    try (Bench bench = new Bench(fake.engine(), every(50))) {
      bench.harness.setProcessingTime(1);
      bench.offerSeconds(1, a);
      bench.settle();
      bench.harness.setProcessingTime(50_001);
      bench.offerSeconds(1, a);
      bench.settle();
      bench.awaitSnapshots(1);

      bench.snapshotsFail.set(true);
      bench.offerSeconds(60, a); // many times as much as the memory
      bench.settle();
      assertThat(bench.snapshotsAsked).hasValue(2);
      assertThat(bench.stateOf("a").log()).hasSizeGreaterThan(50);

      bench.snapshotsFail.set(false);
      bench.harness.setProcessingTime(200_000);
      bench.offerSeconds(1, a);
      bench.settle();
      bench.awaitSnapshots(2);
      assertThat(bench.stateOf("a").log()).isEmpty();
    }
  }

  @Test
  void failsTheTaskWhenAMemoryCannotBeCopiedAgainAndAgain() throws Exception {
    try (Bench bench = new Bench(fake.engine(), every(1))) {
      bench.snapshotsFail.set(true);
      bench.offerSeconds(1, a); // opens it
      bench.settle();
      for (int i = 1; i < SnapshotWriter.FAILURES; i++) {
        bench.harness.setProcessingTime(2000L * i);
        bench.offerSeconds(1, a);
        bench.settle();
        assertThat(bench.snapshotsAsked).hasValue(i);
      }
      bench.harness.setProcessingTime(2000L * SnapshotWriter.FAILURES);
      bench.offerSeconds(1, a);
      assertThatThrownBy(bench::settle)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("the memory of stream a could not be copied 10 times in a row")
          .hasRootCauseMessage("as the test wants it");
    }
  }

  /** One good copy forgives all that failed before. */
  @Test
  void countsOnlyCopiesThatFailInARow() throws Exception {
    try (Bench bench = new Bench(fake.engine(), every(1))) {
      for (int i = 1; i <= 3 * SnapshotWriter.FAILURES; i++) {
        boolean good = i % SnapshotWriter.FAILURES == 0;
        bench.snapshotsFail.set(!good);
        bench.harness.setProcessingTime(2000L * i);
        bench.offerSeconds(1, a);
        bench.settle();
        if (good) {
          bench.awaitSnapshots(i / SnapshotWriter.FAILURES);
        }
      }
      assertThat(bench.understanding().memoriesWritten()).isEqualTo(3);
    }
  }

  /** Sixty-four that come up together, for three intervals: architecture §7. */
  @Test
  void spreadsTheCopiesOfManyStreamsOverTheInterval() throws Exception {
    int interval = 16;
    List<Camera> cameras = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      cameras.add(new Camera("camera-" + i, i));
    }
    try (Bench bench = new Bench(fake.engine(), every(interval))) {
      bench.snapshotsFail.set(true); // else a log as large as this small memory asks as well
      List<Integer> perSecond = new ArrayList<>();
      for (int second = 1; second <= 3 * interval; second++) {
        bench.harness.setProcessingTime(second * 1000L);
        int before = bench.snapshotsAsked.get();
        bench.offerSeconds(1, cameras.toArray(Camera[]::new));
        bench.settle();
        perSecond.add(bench.snapshotsAsked.get() - before);
      }
      assertThat(sum(perSecond.subList(interval, 3 * interval)))
          .as("each stream once per interval")
          .isEqualTo(2 * 64);
      assertThat(perSecond)
          .as("of the 64, in any second")
          .allMatch(count -> count <= 2 * 64 / interval);
    }
  }

  private static int sum(List<Integer> counts) {
    return counts.stream().mapToInt(Integer::intValue).sum();
  }

  /** With 0, every checkpoint asks for all of them, and waits for none. */
  @Test
  void copiesNothingWhileACheckpointPasses() throws Exception {
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      bench.offerSeconds(1, a, b);
      bench.settle();
      bench.snapshotsMayEnd = new CompletableFuture<>();
      Set<Long> before = bench.stateOf("a").pieces().keySet();

      bench.snapshot();

      assertThat(bench.snapshotsAsked).as("one at a time").hasValue(1);
      assertThat(bench.stateOf("a").pieces().keySet()).isEqualTo(before);
      bench.snapshotsMayEnd.complete(null);
      bench.awaitSnapshots(2);
      assertThat(bench.stateOf("a").pieces().keySet()).isNotEqualTo(before);
    }
  }

  @Test
  void keepsOneSnapshotAndTheRoundsAfterIt() throws Exception {
    try (Bench bench = new Bench(fake.engine(), EACH_CHECKPOINT)) {
      for (int i = 1; i <= 5; i++) {
        bench.offerSeconds(2, a);
        bench.settle();
        bench.snapshot();
        bench.awaitSnapshots(i);
      }
      bench.offerSeconds(1, a);
      bench.settle();

      assertThat(bench.stateOf("a").pieces().keySet().stream().map(key -> key >> 20).distinct())
          .hasSize(1);
      assertThat(bench.stateOf("a").log().keySet()).isSubsetOf(10L);
    }
  }
}
