// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.engine.Seat;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams of which nothing comes: told once, put to sleep, forgotten; time is the harness's. */
@Timeout(60)
class SilentStreamsTest {
  private static final long NOW = Camera.START_MICROS / 1000;
  private static final long SECOND = 1000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;

  private static final UnderstandSettings STALE = settings(30 * SECOND, 0);
  private static final UnderstandSettings FORGET = settings(0, HOUR);
  private static final UnderstandSettings BOTH = settings(30 * SECOND, HOUR);

  private final FakeEngines fake = FakeEngines.start();
  private final Camera camera = new Camera("a");
  private long now = NOW;

  private static UnderstandSettings settings(long staleMillis, long forgetMillis) {
    return Bench.PATIENT.withSilence(
        Duration.ofMillis(staleMillis), Duration.ofMillis(forgetMillis));
  }

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void tellsASilenceOnce() throws Exception {
    try (Bench bench = open(STALE, null)) {
      frames(bench, camera, 5); // the third chunk is open
      pass(bench, 29 * SECOND);
      assertThat(of(bench, TextKind.STALE)).isEmpty();

      pass(bench, 9 * SECOND);
      pass(bench, HOUR);

      TextEvent stale = of(bench, TextKind.STALE).get(0);
      assertThat(of(bench, TextKind.STALE)).hasSize(1);
      assertThat(stale.getChunk()).isEqualTo(2);
      assertThat(stale.getSubject()).isEqualTo("stale");
      assertThat(stale.getBeganMicros()).isEqualTo(Camera.START_MICROS);
      assertThat(stale.getStartMicros()).isEqualTo(Camera.START_MICROS + 2_000_000);
      assertThat(stale.getEndMicros()).isEqualTo(stale.getStartMicros());
      assertThat(stale.getText()).isEqualTo("no record for 30 s");
      assertThat(bench.understanding().silence().silent()).isEqualTo(1);
    }
  }

  @Test
  void tellsTheNextSilenceAgain() throws Exception {
    try (Bench bench = open(STALE, null)) {
      frames(bench, camera, 4);
      pass(bench, MINUTE);
      camera.rest(60);
      frames(bench, camera, 4);
      pass(bench, MINUTE);

      assertThat(bench.events())
          .extracting(TextEvent::getKind, TextEvent::getChunk)
          .filteredOn(t -> t.toList().get(0) != TextKind.COMMENT)
          .filteredOn(t -> t.toList().get(0) != TextKind.SILENCE)
          .containsExactly(
              tuple(TextKind.STALE, 2L), tuple(TextKind.GAP, 2L), tuple(TextKind.STALE, 64L));
    }
  }

  @Test
  void doesNotTellASilenceAgainAfterARestart() throws Exception {
    OperatorSubtaskState told;
    OperatorSubtaskState untold;
    try (Bench bench = open(STALE, null)) {
      frames(bench, camera, 4);
      untold = bench.snapshot();
      bench.runMails();
      pass(bench, MINUTE);
      told = bench.snapshot();
    }
    try (Bench bench = open(STALE, told)) {
      pass(bench, MINUTE);
      assertThat(bench.events()).isEmpty();
      assertThat(bench.understanding().silence().silent()).isEqualTo(1);
      told = bench.snapshot();
    }
    try (Bench bench = open(STALE, untold)) {
      pass(bench, MINUTE);
      pass(bench, MINUTE);
      assertThat(bench.events()).extracting(TextEvent::getKind).containsExactly(TextKind.STALE);
      untold = bench.snapshot();
    }
    try (Bench bench = open(STALE, untold)) {
      pass(bench, MINUTE);
      assertThat(bench.events()).isEmpty();
    }
  }

  @Test
  void judgesNobodyWhileTheJobIsBehind() throws Exception {
    try (Bench bench = open(STALE, null)) {
      Camera late = new Camera("b", 1);
      frames(bench, camera, 4);
      for (int i = 0; i < 10; i++) {
        pass(bench, 20 * SECOND);
        late.micros = (now - 16 * SECOND) * 1000; // records of a backlog
        frames(bench, late, 2);
      }
      assertThat(of(bench, TextKind.STALE)).isEmpty();

      for (int i = 0; i < 10; i++) {
        pass(bench, 20 * SECOND);
        late.micros = (now - 14 * SECOND) * 1000;
        frames(bench, late, 2);
      }
      assertThat(of(bench, TextKind.STALE)).extracting(TextEvent::getStreamId).containsExactly("a");
    }
  }

  @Test
  void judgesNobodyWhileARecordCannotBeTaken() throws Exception {
    try (Bench bench = open(STALE, null)) {
      frames(bench, camera, 4);
      for (int i = 0; i < 10; i++) {
        now += 20 * SECOND;
        bench.harness.setProcessingTime(now);
        bench.understanding().silence().look(/* recordsWait= */ true);
      }
      assertThat(of(bench, TextKind.STALE)).isEmpty();
      pass(bench, MINUTE);
      assertThat(of(bench, TextKind.STALE)).hasSize(1);
    }
  }

  @Test
  void endsAStreamOfWhichNothingCame() throws Exception {
    try (Bench bench = open(FORGET, null)) {
      frames(bench, camera, 5);
      pass(bench, 59 * MINUTE);
      assertThat(of(bench, TextKind.ENDED)).isEmpty();

      pass(bench, 2 * MINUTE);

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getSubject)
          .containsExactly(tuple(0L, ""), tuple(1L, ""), tuple(2L, ""), tuple(3L, "ended"));
      TextEvent ended = bench.events().get(3);
      assertThat(ended.getText()).isEqualTo("no record for 1 h");
      assertThat(ended.getSources()).hasSize(1);
      assertThat(ended.getSources().get(0).getLastOffset()).as("of its last frame").isEqualTo(4);
      assertThat(bench.stateEntries()).isZero();
      assertThat(bench.understanding().size()).isZero();
      assertThat(bench.understanding().silence().asleep()).isZero();

      camera.rest(7200);
      long began = camera.micros;
      frames(bench, camera, 2);
      TextEvent anew = bench.events().get(4);
      assertThat(anew.getChunk()).isZero();
      assertThat(anew.getBeganMicros()).isEqualTo(began);
    }
  }

  @Test
  void endsAStreamThatCameBackFromACheckpointAndNeverGotARecord() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = open(FORGET, null)) {
      frames(bench, camera, 5);
      state = bench.snapshot();
    }
    now += 48 * HOUR; // the job was away
    try (Bench bench = open(FORGET, state)) {
      pass(bench, 9 * MINUTE);
      assertThat(bench.events()).as("its backlog may still come").isEmpty();

      pass(bench, 2 * MINUTE);

      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getSubject)
          .containsExactly(tuple(2L, ""), tuple(3L, "ended"));
      assertThat(bench.stateEntries()).isZero();
    }
  }

  @Test
  void keepsAStreamThatCameBackFromACheckpointAndHasABacklog() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = open(BOTH, null)) {
      frames(bench, camera, 5);
      state = bench.snapshot();
    }
    now += 48 * HOUR;
    try (Bench bench = open(BOTH, state)) {
      for (int i = 0; i < 60; i++) {
        frames(bench, camera, 1); // of two days ago
        pass(bench, 20 * SECOND);
      }
      assertThat(bench.events())
          .extracting(TextEvent::getKind)
          .doesNotContain(TextKind.STALE, TextKind.ENDED);
    }
  }

  @Test
  void resumesAnEndThatACheckpointCutInTwo() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = open(FORGET, null)) {
      frames(bench, camera, 5);
      fake.hold();
      now += 61 * MINUTE;
      bench.harness.setProcessingTime(now);
      state = bench.harness.snapshot(7, 7); // the last chunk is at the engine
      fake.letAllGo();
      bench.settle();
      assertThat(bench.events()).hasSize(4);
    }
    try (Bench bench = open(FORGET, state)) {
      bench.settle();
      assertThat(bench.events())
          .extracting(TextEvent::getChunk, TextEvent::getText)
          .contains(tuple(3L, "no record for 1 h"));
      assertThat(bench.stateEntries()).isZero();
    }
  }

  @Test
  void endsAStreamThatACommandBeganAndNoFrameCameOf() throws Exception {
    try (Bench bench = open(BOTH, null)) {
      bench.offer(camera.command("c-1", CommandKind.START));
      pass(bench, MINUTE);
      pass(bench, HOUR);

      assertThat(bench.events())
          .extracting(TextEvent::getKind, TextEvent::getChunk, TextEvent::getBeganMicros)
          .containsExactly(
              tuple(TextKind.NOTICE, 0L, 0L),
              tuple(TextKind.STALE, 0L, 0L),
              tuple(TextKind.ENDED, 0L, 0L));
      assertThat(bench.stateEntries()).isZero();
    }
  }

  @Test
  void putsASilentStreamToSleepAndForgetsItThere() throws Exception {
    try (Bench bench = open(BOTH, null)) {
      frames(bench, camera, 4);
      pass(bench, 4 * MINUTE);
      assertThat(bench.understanding().size()).isEqualTo(1);

      pass(bench, 2 * MINUTE); // its memory is written
      bench.awaitSnapshots(1);
      pass(bench, MINUTE);
      assertThat(bench.understanding().size()).isZero();
      assertThat(bench.understanding().silence().asleep()).isEqualTo(1);
      engineIsThrough();
      assertThat(fake.rowsUsed()).isZero();

      pass(bench, HOUR);
      assertThat(of(bench, TextKind.ENDED)).hasSize(1);
      assertThat(bench.understanding().silence().asleep()).isZero();
      assertThat(bench.stateEntries()).isZero();
    }
  }

  /** Silences and sleep change no byte of what a stream says. */
  @Test
  void saysTheSameHoweverOftenItsStreamsFellAsleep() throws Exception {
    int slept = 0;
    for (int seed = 0; seed < 6; seed++) {
      List<FrameRecord> records = Scenario.draw(new Random(seed), 2, 60);
      Random random = new Random(~seed);
      Map<String, List<String>> plain;
      try (Bench bench = open(settings(0, 0), null)) {
        for (FrameRecord record : records) {
          bench.offer(record);
        }
        bench.settle();
        plain = texts(bench);
      }
      try (Bench bench = open(STALE, null)) {
        for (FrameRecord record : records) {
          bench.offer(record);
          if (random.nextInt(12) == 0) {
            bench.settle();
            for (int minute = 0; minute < 10; minute++) {
              long written = bench.understanding().memoriesWritten();
              pass(bench, MINUTE);
              bench.settle();
              assertThat(bench.understanding().memoriesWritten()).isGreaterThanOrEqualTo(written);
            }
            slept += bench.understanding().silence().asleep();
          }
        }
        bench.settle();
        assertThat(texts(bench)).as("seed %d", seed).isEqualTo(plain);
      }
    }
    assertThat(slept).isPositive();
  }

  @Test
  void saysTimesInTheLargestUnitThatFits() {
    assertThat(
            List.of(
                SilentStreams.words(1500),
                SilentStreams.words(90_000),
                SilentStreams.words(300_000),
                SilentStreams.words(24 * HOUR)))
        .containsExactly("1500 ms", "90 s", "5 min", "24 h");
  }

  private Bench open(UnderstandSettings settings, @Nullable OperatorSubtaskState state)
      throws Exception {
    return new Bench(fake.engine(), settings, state, now);
  }

  /** The engine has done all that it was asked before: what it is asked now comes after that. */
  private void engineIsThrough() throws Exception {
    Engine engine = fake.engine();
    try (Seat seat = engine.attach(results -> {})) {
      seat.snapshot(seat.create("last", engine.settings())).get(10, TimeUnit.SECONDS);
    }
  }

  private static void frames(Bench bench, Camera camera, int count) throws Exception {
    for (int i = 0; i < count; i++) {
      bench.offer(camera.frame());
    }
    bench.settle();
  }

  /** Time passes; what is due is done, and what came of it answered. */
  private void pass(Bench bench, long millis) throws Exception {
    now += millis;
    bench.harness.setProcessingTime(now);
    bench.settle();
  }

  private static List<TextEvent> of(Bench bench, TextKind kind) throws WireFormatException {
    return bench.events().stream().filter(event -> event.getKind() == kind).toList();
  }

  /** Bytes of all events but STALE, by stream. */
  private static Map<String, List<String>> texts(Bench bench) throws WireFormatException {
    Map<String, List<String>> texts = new TreeMap<>();
    for (TextRecord record : bench.records()) {
      if (WireFormat.decodeText(record.value()).getKind() != TextKind.STALE) {
        texts
            .computeIfAbsent(record.streamId(), id -> new ArrayList<>())
            .add(HexFormat.of().formatHex(record.value()));
      }
    }
    return texts;
  }
}
