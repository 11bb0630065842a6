// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is said of a chunk, of a gap, and of a clock that was set. */
@Timeout(60)
class ChunkEventsTest {
  private final FakeEngines fake = FakeEngines.start();

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void saysSomethingOfEachChunkInOrder() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
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
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
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
      try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
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
  void reportsAGapOnceHoweverLong() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
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
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
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
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
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

  private static Tuple[] tuples(long count) {
    return LongStream.range(0, count).mapToObj(i -> tuple(i, i)).toArray(Tuple[]::new);
  }
}
