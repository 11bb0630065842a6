// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Text whose transaction was aborted is given out again, once, first, and with the same bytes. */
@Timeout(60)
class UnconfirmedTest {

  /** What was asked for, and which of it the topic lacks; the operator takes a copy along. */
  private static final List<TextRecord> ASKED = new ArrayList<>();

  private static Predicate<TextEvent> lacking = event -> true;

  private static final CommittedText TOPIC =
      texts -> {
        ASKED.addAll(texts);
        return texts.stream().filter(text -> lacking.test(event(text))).toList();
      };

  private final FakeEngines fake = FakeEngines.start();
  private final Camera a = new Camera("a", 0);
  private final Camera b = new Camera("b", 1);

  @BeforeEach
  void forget() {
    ASKED.clear();
    lacking = event -> true;
  }

  @AfterEach
  void closeEngine() {
    fake.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void goesOutAgainBeforeAnythingNewWhereItIsMissing(boolean rocks) throws Exception {
    StateBackend backend = rocks ? new EmbeddedRocksDBStateBackend() : new HashMapStateBackend();
    OperatorSubtaskState state;
    List<String> first;
    List<EventHeaders> times;
    try (Bench bench = bench(TOPIC, null, backend)) {
      seconds(bench, 3, a, b);
      first = bytes(bench, "a");
      times = headers(bench, "a");
      state = bench.snapshot();
    }
    lacking = event -> event.getStreamId().equals("a") && event.getChunk() > 0;
    try (Bench bench = bench(TOPIC, state, backend)) {
      assertThat(bytes(bench, "a")).isEqualTo(first.subList(1, 3));
      assertThat(headers(bench, "a"))
          .as("said by the task before, whose start they name")
          .isEqualTo(times.subList(1, 3));
      seconds(bench, 1, a, b);

      assertThat(bench.events())
          .extracting(TextEvent::getStreamId, TextEvent::getChunk)
          .containsExactly(tuple("a", 1L), tuple("a", 2L), tuple("a", 3L), tuple("b", 3L));
    }
    assertThat(chunks(ASKED, "a")).containsExactly(0L, 1L, 2L);
    assertThat(chunks(ASKED, "b")).containsExactly(0L, 1L, 2L);
  }

  private static List<EventHeaders> headers(Bench bench, String stream) {
    return bench.records().stream()
        .filter(record -> record.streamId().equals(stream))
        .map(TextRecord::headers)
        .toList();
  }

  @Test
  void goesOutBeforeWhatTheBarrierFoundWaiting() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT, TOPIC, 1, 0, null, null)) {
      seconds(bench, 1, a);
      fake.hold();
      for (int i = 0; i < 2; i++) {
        bench.offer(a.frame());
      }
      a.rest(2);
      for (int i = 0; i < 2; i++) {
        bench.offer(a.frame());
      }
      state = bench.snapshot();
      fake.letAllGo();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT, TOPIC, 1, 0, state, null)) {
      bench.settle();

      assertThat(bench.events()).extracting(TextEvent::getChunk).containsExactly(0L, 1L, 2L, 4L);
    }
  }

  @Test
  void isKeptUntilTheCheckpointAfterIsCompleteAndTheSinkWasTold() throws Exception {
    try (Bench bench = bench(TOPIC, null)) {
      seconds(bench, 1, a, b);
      bench.snapshot();
      bench.harness.notifyOfCompletedCheckpoint(1);
      seconds(bench, 1, a);
      assertThat(asked(bench.snapshot())).containsExactly(0L, 1L);
      bench.harness.notifyOfCompletedCheckpoint(2);
      assertThat(asked(bench.snapshot())).as("no text has told the sink").containsExactly(0L, 1L);
      seconds(bench, 1, a);
      assertThat(asked(bench.snapshot())).containsExactly(1L, 2L);

      assertThat(bench.records().stream().filter(text -> text.streamId().equals("a")))
          .extracting(TextRecord::settled)
          .containsExactly(0L, 0L, 1L);
    }
  }

  @Test
  void isKeptWhileNoCheckpointIsComplete() throws Exception {
    try (Bench bench = bench(TOPIC, null)) {
      for (int i = 0; i < 4; i++) {
        seconds(bench, 1, a);
        bench.snapshot();
      }
      assertThat(asked(bench.snapshot())).containsExactly(0L, 1L, 2L, 3L);
    }
  }

  @Test
  void isKeptAgainAfterItWentOutAgain() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = bench(TOPIC, null)) {
      seconds(bench, 2, a);
      state = bench.snapshot();
    }
    lacking = event -> event.getChunk() == 1;
    try (Bench bench = bench(TOPIC, state)) {
      state = bench.snapshot();
    }
    assertThat(asked(state)).as("chunk 0 was found").containsExactly(1L);
  }

  @Test
  void outlivesItsStream() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = bench(TOPIC, null)) {
      seconds(bench, 1, a);
      bench.offer(a.end());
      bench.settle();
      state = bench.snapshot();
    }
    try (Bench bench = bench(TOPIC, state)) {
      assertThat(bench.events())
          .extracting(TextEvent::getKind)
          .hasSize(2)
          .last()
          .isEqualTo(TextKind.ENDED);
    }
  }

  @Test
  void goesWithItsStreamWhenTheParallelismChanges() throws Exception {
    OperatorSubtaskState state;
    List<Camera> cameras = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      cameras.add(new Camera("camera-" + i, i));
    }
    try (Bench bench = bench(TOPIC, null)) {
      seconds(bench, 2, cameras.toArray(Camera[]::new));
      state = bench.snapshot();
    }
    List<TextRecord> again = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      OperatorSubtaskState half =
          AbstractStreamOperatorTestHarness.repartitionOperatorState(
              state, Bench.MAX_PARALLELISM, 1, 2, i);
      try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, TOPIC, 2, i, half, null)) {
        assertThat(bench.records()).hasSizeBetween(2, 14);
        again.addAll(bench.records());
      }
    }
    assertThat(again).hasSize(16).doesNotHaveDuplicates();
    for (int i = 0; i < cameras.size(); i++) {
      assertThat(chunks(again, "camera-" + i)).containsExactly(0L, 1L);
    }
  }

  @Test
  void asksNothingWhenThereIsNothingToAskFor() throws Exception {
    try (Bench first = bench(TOPIC, null);
        Bench second = bench(TOPIC, first.snapshot())) {
      assertThat(second.records()).isEmpty();
    }
    assertThat(ASKED).isEmpty();
  }

  @Test
  void isNotKeptForASinkWithoutTransactions() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = bench(null, null)) {
      seconds(bench, 2, a);
      state = bench.snapshot();
    }
    assertThat(asked(state)).isEmpty();
  }

  @Test
  void allGoesOutAgainWhenTheSinkNoLongerHasTransactions() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = bench(TOPIC, null)) {
      seconds(bench, 2, a);
      state = bench.snapshot();
    }
    try (Bench bench = bench(null, state)) {
      assertThat(chunks(bench.records(), "a")).containsExactly(0L, 1L);
    }
  }

  @Test
  void nothingGoesOutWhenItCannotBeTold() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = bench(TOPIC, null)) {
      seconds(bench, 2, a);
      state = bench.snapshot();
    }
    CommittedText unable =
        texts -> {
          throw new IllegalStateException("an open transaction hides what follows");
        };
    assertThatThrownBy(() -> bench(unable, state)).hasMessageContaining("an open transaction");
  }

  /** What a job that goes on from this state looks for. */
  private List<Long> asked(OperatorSubtaskState state) throws Exception {
    ASKED.clear();
    bench(TOPIC, state).close();
    return chunks(ASKED, "a");
  }

  private Bench bench(@Nullable CommittedText committed, @Nullable OperatorSubtaskState state)
      throws Exception {
    return bench(committed, state, new HashMapStateBackend());
  }

  private Bench bench(
      @Nullable CommittedText committed, @Nullable OperatorSubtaskState state, StateBackend backend)
      throws Exception {
    return new Bench(fake.engine(), Bench.PATIENT, committed, 1, 0, state, backend);
  }

  private static void seconds(Bench bench, int seconds, Camera... cameras) throws Exception {
    for (int i = 0; i < 2 * seconds; i++) {
      for (Camera camera : cameras) {
        bench.offer(camera.frame());
        bench.settle();
      }
    }
  }

  private static List<Long> chunks(List<TextRecord> texts, String streamId) {
    return texts.stream()
        .filter(text -> text.streamId().equals(streamId))
        .map(text -> event(text).getChunk())
        .toList();
  }

  private static List<String> bytes(Bench bench, String streamId) {
    return bench.records().stream()
        .filter(text -> text.streamId().equals(streamId))
        .map(text -> new String(text.value(), StandardCharsets.ISO_8859_1))
        .toList();
  }

  private static TextEvent event(TextRecord text) {
    try {
      return WireFormat.decodeText(text.value());
    } catch (io.everwatch.schemas.WireFormatException e) {
      throw new IllegalStateException(e);
    }
  }
}
