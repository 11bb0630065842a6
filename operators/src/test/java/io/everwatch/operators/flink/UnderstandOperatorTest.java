// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class UnderstandOperatorTest {
  private static final UnderstandSettings SETTINGS =
      new UnderstandSettings(4, Duration.ofSeconds(10), Duration.ofHours(1), 1 << 16);

  private final FakeEngines fake = FakeEngines.start();

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void saysSomethingOfEachChunkInOrder() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      Camera a = new Camera("a");
      Camera b = new Camera("b", 1);
      for (int i = 0; i < 12; i++) {
        bench.offer(a.frame());
        bench.offer(b.frame());
      }
      bench.settle();

      Map<String, List<TextEvent>> events =
          bench.events().stream().collect(Collectors.groupingBy(TextEvent::getStreamId));
      for (List<TextEvent> stream : events.values()) {
        assertThat(stream)
            .extracting(TextEvent::getChunk, TextEvent::getRound)
            .containsExactly(tuples(6));
        assertThat(stream).extracting(TextEvent::getKind).containsAnyOf(TextKind.COMMENT);
      }
      assertThat(events).containsOnlyKeys("a", "b");
    }
  }

  @Test
  void tellsWhereItsFramesLay() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      Camera camera = new Camera("a", 3);
      camera.lose(7);
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.settle();

      TextEvent event = bench.events().get(0);
      assertThat(event.getFirstSequence()).isEqualTo(7);
      assertThat(event.getLastSequence()).isEqualTo(8);
      assertThat(event.getSources())
          .singleElement()
          .satisfies(
              source -> {
                assertThat(source.getTopic()).isEqualTo("frames");
                assertThat(source.getPartition()).isEqualTo(3);
                assertThat(source.getFirstOffset()).isZero();
                assertThat(source.getLastOffset()).isEqualTo(1);
              });
      assertThat(event.getStartMicros()).isEqualTo(Camera.START_MICROS + 3_500_000);
      assertThat(event.getEndMicros()).isEqualTo(Camera.START_MICROS + 4_500_000);
      assertThat(event.getFrames().getReceived()).isEqualTo(2);
      assertThat(event.getFrames().getUsed()).isEqualTo(2);
      assertThat(event.getModelDigest()).isEqualTo("a".repeat(16));
      assertThat(event.getNumericsDigest()).isEqualTo("b".repeat(16));
      assertThat(event.getPromptDigest()).matches("[0-9a-f]{16}");
    }
  }

  @Test
  void putsTimesIntoHeadersOnly() throws Exception {
    List<byte[]> values = new ArrayList<>();
    List<EventHeaders> times = new ArrayList<>();
    for (long now : new long[] {1000, 999_000}) {
      try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
        bench.harness.setProcessingTime(now);
        Camera camera = new Camera("a");
        bench.offer(camera.frame());
        bench.offer(camera.frame());
        bench.settle();
        values.add(bench.records().get(0).value());
        times.add(bench.records().get(0).headers());
      }
    }
    assertThat(values.get(0)).isEqualTo(values.get(1));
    assertThat(times).extracting(EventHeaders::closedMillis).containsExactly(1000L, 999_000L);
    assertThat(times.get(0).lastCaptureMillis()).isEqualTo(Camera.START_MICROS / 1000 + 500);
    assertThat(times.get(0).arrivalMillis()).isEqualTo(Camera.START_MICROS / 1000 + 540);
    assertThat(times.get(0).doneMillis()).isGreaterThanOrEqualTo(times.get(0).prefillDoneMillis());
  }

  @Test
  void takesNoRecordBeyondItsBound() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      fake.hold();
      List<Camera> cameras = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        cameras.add(new Camera("camera-" + i, i));
      }
      int most = 0;
      for (int chunk = 0; chunk < 3; chunk++) {
        for (Camera camera : cameras) {
          bench.offer(camera.frame());
          fake.letGo(); // else the next may wait for ever
          bench.offer(camera.frame());
          most = Math.max(most, bench.understanding().inFlight());
        }
      }
      fake.letAllGo();
      bench.settle();

      assertThat(most).isEqualTo(SETTINGS.limits().inFlight());
      assertThat(bench.events()).hasSize(30);
      assertThat(bench.events().stream().filter(event -> event.getStreamId().equals("camera-3")))
          .extracting(TextEvent::getChunk)
          .containsExactly(0L, 1L, 2L);
    }
  }

  @Test
  void sendsAWatermarkAfterAllThatCameBeforeIt() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      fake.hold();
      Camera camera = new Camera("a");
      bench.offer(camera.frame(), 400);
      bench.harness.processWatermark(new Watermark(900));
      bench.offer(camera.frame(), 1000);
      bench.harness.processWatermark(new Watermark(950));
      bench.harness.processWatermark(new Watermark(990));
      bench.offer(camera.frame(), 1001);
      bench.offer(camera.frame(), 1002);
      bench.harness.processWatermark(new Watermark(1000));
      bench.harness.processWatermarkStatus(WatermarkStatus.IDLE);
      assertThat(order(bench)).containsExactly("w900");

      fake.letAllGo();
      bench.settle();

      assertThat(order(bench)).containsExactly("w900", "r1000", "w990", "r1002", "w1000", "IDLE");
    }
  }

  @Test
  void keepsQuietAboutIdlenessThatEndedMeanwhile() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      fake.hold();
      Camera camera = new Camera("a");
      bench.offer(camera.frame(), 1);
      bench.offer(camera.frame(), 2);
      bench.harness.processWatermarkStatus(WatermarkStatus.IDLE);
      bench.harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
      fake.letAllGo();
      bench.settle();

      assertThat(order(bench)).containsExactly("r2");
    }
  }

  @Test
  void reportsAGapOnceHoweverLong() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      Camera camera = new Camera("a");
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      camera.rest(5);
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound)
          .containsExactly(tuple(0L, 0L), tuple(1L, -1L), tuple(6L, 1L));
      TextEvent gap = bench.events().get(1);
      assertThat(gap.getKind()).isEqualTo(TextKind.GAP);
      assertThat(gap.getSkipped().getFirstChunk()).isEqualTo(1);
      assertThat(gap.getSkipped().getLastChunk()).isEqualTo(5);
      assertThat(gap.getFrames().getMissing()).isEqualTo(10);
    }
  }

  @Test
  void tellsALongOutageAsAGapAndForgetsThePictures() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      Camera camera = new Camera("a");
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      camera.rest(3600);
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getClockReset)
          .containsExactly(tuple(0L, 0L, false), tuple(1L, -1L, false), tuple(3601L, 1L, false));
      assertThat(bench.submitted).extracting(RoundInput::dropVision).containsExactly(false, true);
    }
  }

  @Test
  void tellsOfANewClock() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      Camera camera = new Camera("a");
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      camera.setClock(3600);
      for (int i = 0; i < 4; i++) {
        bench.offer(camera.frame());
      }
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getClockReset)
          .containsExactly(tuple(0L, false), tuple(1L, true), tuple(2L, false));
    }
  }

  @Test
  void namesTheLifeOfAStreamInEachOfItsEvents() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      Camera camera = new Camera("a");
      bench.offer(camera.command("c-1", CommandKind.START));
      long first = camera.micros;
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.offer(camera.command("c-2", CommandKind.RESET));
      camera.setClock(3600);
      for (int i = 0; i < 4; i++) {
        bench.offer(camera.frame());
      }
      bench.offer(camera.end());
      long second = camera.micros;
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getSubject, TextEvent::getBeganMicros)
          .containsExactly(
              tuple(0L, "c-1", 0L),
              tuple(0L, "", first),
              tuple(1L, "c-2", first),
              tuple(1L, "", first),
              tuple(2L, "", first),
              tuple(3L, "ended", first),
              tuple(0L, "", second));
    }
  }

  /** The command was there before the frame: what a barrier holds back must not change that. */
  @Test
  void answersACommandInTheLifeInWhichItCame() throws Exception {
    OperatorSubtaskState state;
    Camera camera = new Camera("a");
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      bench.harness.prepareSnapshotPreBarrier(1);
      bench.offer(camera.command("c-1", CommandKind.START));
      bench.offer(camera.frame());
      state = bench.harness.snapshot(1, 1);
      bench.settle();
      assertThat(bench.events()).extracting(TextEvent::getBeganMicros).containsExactly(0L);
    }
    try (Bench bench = new Bench(fake.engine(), SETTINGS, state)) {
      bench.settle();
      assertThat(bench.events()).extracting(TextEvent::getBeganMicros).containsExactly(0L);
    }
  }

  @Test
  void forgetsAStreamThatEnds() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      Camera camera = new Camera("a");
      for (int i = 0; i < 5; i++) {
        bench.offer(camera.frame());
      }
      bench.offer(camera.end());
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getSubject, TextEvent::getKind)
          .endsWith(
              tuple(2L, "", bench.events().get(2).getKind()), tuple(3L, "ended", TextKind.ENDED));
      assertThat(bench.events()).hasSize(4);
      bench.snapshot();
      assertThat(bench.stateEntries()).isZero();

      bench.offer(camera.end()); // a second end is the end of nothing
      Camera again = new Camera("a");
      bench.offer(again.frame());
      bench.offer(again.frame());
      bench.settle();
      assertThat(bench.events()).hasSize(5);
      assertThat(bench.events().get(4).getText()).isEqualTo(bench.events().get(0).getText());
    }
  }

  @Test
  void startsANewStreamOnlyWhenTheOldOneHasEnded() throws Exception {
    try (Bench bench = new Bench(fake.engine(), SETTINGS)) {
      fake.hold();
      Camera camera = new Camera("a");
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.offer(camera.end());
      fake.letAllGo();
      Camera again = new Camera("a");
      bench.offer(again.frame());
      bench.offer(again.frame());
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getRound, TextEvent::getSubject)
          .containsExactly(tuple(0L, 0L, ""), tuple(1L, -1L, "ended"), tuple(0L, 0L, ""));
    }
  }

  @Test
  void closesInTheMiddleOfAStepAndLeavesNothing() throws Exception {
    Bench bench = new Bench(fake.engine(), SETTINGS);
    fake.hold();
    Camera camera = new Camera("a");
    bench.offer(camera.frame());
    bench.offer(camera.frame());
    Thread closing = new Thread(() -> closeQuietly(bench), "closing");
    closing.start();
    fake.letAllGo();
    closing.join(30_000);

    assertThat(closing.isAlive()).isFalse();
    assertThat(bench.events()).isEmpty();
    assertThat(fake.rowsUsed()).isZero();
  }

  @Test
  void ignoresAnAnswerThatIsRunAfterClose() throws Exception {
    Bench bench = new Bench(fake.engine(), SETTINGS);
    Camera camera = new Camera("a");
    bench.offer(camera.frame());
    bench.offer(camera.frame());
    var late = bench.mailbox().take(0); // the answer's mail, not run yet
    bench.close();

    late.run();

    assertThat(bench.events()).isEmpty();
  }

  @Test
  void closesAfterAFailedOpen() throws Exception {
    KeyedOneInputStreamOperatorTestHarness<StreamKey, FrameRecord, TextRecord> harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new UnderstandOperatorFactory(
                gpus -> {
                  throw new IllegalArgumentException("no such model");
                },
                SETTINGS,
                SpreadRegistry.NONE),
            FrameRecord::key,
            StreamKey.TYPE);

    assertThatThrownBy(harness::open).hasStackTraceContaining("no such model");
    harness.close();
  }

  private static void closeQuietly(Bench bench) {
    try {
      bench.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> order(Bench bench) {
    return bench.harness.getOutput().stream()
        .map(
            element -> {
              if (element instanceof Watermark mark) {
                return "w" + mark.getTimestamp();
              }
              return element instanceof StreamRecord<?> record
                  ? "r" + record.getTimestamp()
                  : ((WatermarkStatus) element).isIdle() ? "IDLE" : "ACTIVE";
            })
        .toList();
  }

  private static org.assertj.core.groups.Tuple tuple(Object... values) {
    return org.assertj.core.groups.Tuple.tuple(values);
  }

  private static org.assertj.core.groups.Tuple[] tuples(long count) {
    return java.util.stream.LongStream.range(0, count)
        .mapToObj(i -> tuple(i, i))
        .toArray(org.assertj.core.groups.Tuple[]::new);
  }
}
