// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.flink.RecordedDecisions.Skip;
import io.everwatch.operators.flink.UnderstandSettings.Limits;
import io.everwatch.operators.flink.UnderstandSettings.Overload;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * More video than is understood, from two source subtasks with unequally many streams: the operator
 * takes as much from either, and a reader that it takes too little from falls behind.
 */
@Timeout(120)
class LiveIntakeTest {
  private static final Duration MAX_LAG = Duration.ofSeconds(5);
  private static final int SECONDS = 120;

  private final FakeEngines fake = FakeEngines.sharing(4);

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  /** A chunk a second of each of 18 streams, of which 4.5 are understood: each has one in 4 s. */
  @Test
  void streamsBehindABusyReaderGetTheShareOfTheOthers() throws Exception {
    try (Bench bench = new Bench(fake.engine(), live(Limits.DEFAULT.withInFlight(32)))) {
      OverloadedIntake intake = new OverloadedIntake(bench, 4.5);
      List<Camera> few = intake.source(6, /* behindMillis= */ 0);
      List<Camera> many = intake.source(12, /* behindMillis= */ 2500);
      intake.run(SECONDS);

      assertThat(intake.understood(few)).as("few: %s", intake).allMatch(n -> n >= 24 && n <= 36);
      assertThat(intake.understood(many)).as("many: %s", intake).allMatch(n -> n >= 24 && n <= 36);
      assertThat(intake.lagMillis(0.95)).as("%s", intake).isLessThanOrEqualTo(MAX_LAG.toMillis());
    }
  }

  @Test
  void whatWasSkippedIsToldOnceAndIsSaidAgainByARerun() throws Exception {
    OverloadedIntake intake;
    List<Camera> cameras;
    try (Bench bench = new Bench(fake.engine(), live(Limits.DEFAULT.withInFlight(20)))) {
      intake = new OverloadedIntake(bench, 4.5);
      cameras = intake.source(18, 0);
      intake.run(30);
      intake.end();
      assertThat(bench.understanding().inFlight()).isZero();
    }
    for (Camera camera : cameras) {
      List<TextEvent> said = intake.said(camera);
      assertThat(said.stream().mapToInt(event -> event.getFrames().getReceived()).sum())
          .as(camera.id)
          .isEqualTo(intake.offered(camera).size() - 1); // less the end
      for (int i = 1; i < said.size(); i++) {
        assertThat(List.of(said.get(i - 1).getKind(), said.get(i).getKind()))
            .isNotEqualTo(List.of(TextKind.GAP, TextKind.GAP));
      }
      assertThat(rerun(camera, intake)).as(camera.id).isEqualTo(said);
    }
  }

  private List<TextEvent> rerun(Camera camera, OverloadedIntake intake) throws Exception {
    List<Skip> skips =
        intake.said(camera).stream()
            .filter(event -> event.getKind() == TextKind.GAP)
            .map(TextEvent::getSkipped)
            .map(gap -> new Skip(gap.getFirstChunk(), gap.getLastChunk(), gap.getReason()))
            .toList();
    assertThat(skips).as("an overload that is none").isNotEmpty();
    RecordedDecisions decisions =
        new RecordedDecisions(intake.offered(camera).get(0).key(), skips, List.of());
    try (Bench bench =
        new Bench(fake.engine(), live(Limits.DEFAULT), decisions, 1, 0, null, null)) {
      for (FrameRecord record : intake.offered(camera)) {
        bench.offer(record);
      }
      bench.settle();
      return bench.events();
    }
  }

  @Test
  void whatWasSkippedBehindARoundIsToldAfterARestoreToo() throws Exception {
    UnderstandSettings four =
        Bench.IMPATIENT
            .with(new Overload(OverloadMode.LIVE, MAX_LAG, 8))
            .with(Limits.DEFAULT.withInFlight(4));
    Camera camera = new Camera("a");
    List<TextEvent> uninterrupted;
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), four)) {
      fake.hold();
      bench.offerSeconds(8, camera);
      state = bench.snapshot();
      fake.letAllGo();
      bench.settle();
      uninterrupted = bench.events();
    }
    assertThat(uninterrupted)
        .extracting(TextEvent::getChunk, TextEvent::getRound)
        .containsExactly(
            tuple(0L, 0L), tuple(1L, -1L), tuple(5L, 1L), tuple(6L, 2L), tuple(7L, 3L));
    assertThat(uninterrupted.get(1).getSkipped().getLastChunk()).isEqualTo(4);
    assertThat(uninterrupted.get(1).getFrames().getReceived()).isEqualTo(8);
    try (Bench bench = new Bench(fake.engine(), four, state)) {
      bench.settle();
      assertThat(bench.events()).isEqualTo(uninterrupted);
    }
  }

  @Test
  void moreLiveStreamsThanChunksInTheHeapAllGetText() throws Exception {
    long bound = 70_000; // eleven chunks, of which six may be at the engine
    UnderstandSettings narrow = live(new Limits(12, bound, 0, 0));
    try (Bench bench = new Bench(fake.engine(), narrow)) {
      OverloadedIntake intake = new OverloadedIntake(bench, 9);
      List<Camera> cameras = intake.source(18, 0);
      intake.run(SECONDS);

      assertThat(intake.understood(cameras)).as("%s", intake).allMatch(n -> n >= 40);
      assertThat(intake.mostHeapBytes()).isLessThanOrEqualTo(bound);
    }
  }

  @Test
  void aBlockStreamLosesNothingAndTheLiveOnesKeepTheirText() throws Exception {
    try (Bench bench = new Bench(fake.engine(), live(Limits.DEFAULT.withInFlight(32)))) {
      OverloadedIntake intake = new OverloadedIntake(bench, 4.5);
      List<Camera> cameras = intake.source(18, 0);
      Camera block = block(intake, cameras.get(0));
      intake.run(SECONDS);
      assertThat(intake.understood(cameras)).as("%s", intake).allMatch(n -> n >= 20);
      intake.end();

      assertThat(chunks(intake, block)).isEqualTo(SECONDS);
    }
  }

  /** A backlog of the one stream that may not skip fills all there is, and the input waits. */
  @Test
  void liveStreamsAreNotSilencedByTheBackPressureOfABlockStream() throws Exception {
    UnderstandSettings unparked = live(new Limits(16, Limits.DEFAULT.inFlightBytes(), 0, 0));
    try (Bench bench = new Bench(fake.engine(), unparked)) {
      OverloadedIntake intake = new OverloadedIntake(bench, 4.5);
      List<Camera> cameras = intake.source(18, 0);
      Camera block = block(intake, cameras.get(0));
      intake.run(SECONDS);
      assertThat(intake.understood(cameras)).as("%s", intake).allMatch(n -> n >= 12);
      assertThat(kinds(intake, block)).doesNotContain(TextKind.GAP);
    }
  }

  @Test
  void chunksBehindACommandToBlockAreNotSkippedForRoom() throws Exception {
    try (Bench bench = new Bench(fake.engine(), live(new Limits(4, 1 << 20, 0, 0)))) {
      fake.hold();
      Camera camera = new Camera("a");
      bench.offerSeconds(2, camera); // one at the engine, one waits
      bench.offer(camera.command("keep", CommandKind.SET, Map.of("overload", "block"), ""));
      bench.offerSeconds(1, camera); // the heap is full
      fake.letAllGo(); // else the next would wait for ever
      bench.offerSeconds(2, camera);
      bench.settle();

      assertThat(bench.events()).extracting(TextEvent::getKind).doesNotContain(TextKind.GAP);
    }
  }

  private static Camera block(OverloadedIntake intake, Camera camera) throws Exception {
    intake.offer(camera.command("keep", CommandKind.START, Map.of("overload", "block"), ""));
    return camera;
  }

  private static List<TextKind> kinds(OverloadedIntake intake, Camera camera) {
    return intake.said(camera).stream().map(TextEvent::getKind).toList();
  }

  private static long chunks(OverloadedIntake intake, Camera camera) {
    assertThat(kinds(intake, camera)).doesNotContain(TextKind.GAP);
    return intake.understood(List.of(camera)).get(0);
  }

  private static UnderstandSettings live(Limits limits) {
    return Bench.PATIENT.with(new Overload(OverloadMode.LIVE, MAX_LAG, 8)).with(limits);
  }
}
