// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.cache.ContiguousPositions;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.flink.UnderstandSettings.Overload;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What events tell of the memory is what the memory is. */
@Timeout(60)
class MemoryLookTest {
  private final FakeEngines fake = FakeEngines.start();
  private final Camera camera = new Camera("a");

  /** Rows of each segment that was ever in the memory, by the segment's number. */
  private final Map<Long, Integer> entered = new HashMap<>();

  @AfterEach
  void closeEngine() {
    fake.close();
  }

  private TextEvent second(Bench bench) throws Exception {
    bench.offerSeconds(1, camera);
    bench.settle();
    return last(bench);
  }

  private static TextEvent last(Bench bench) throws Exception {
    List<TextEvent> events = bench.events();
    return events.get(events.size() - 1);
  }

  private static StreamMemory memory(Bench bench) {
    return session(bench).memory();
  }

  private static StreamSession session(Bench bench) {
    return requireNonNull(bench.sessions.get("a"));
  }

  private static int rows(StreamMemory memory, SegmentKind kind) {
    return memory.slices().stream()
        .filter(slice -> slice.kind() == kind)
        .mapToInt(Slice::rows)
        .sum();
  }

  /** A round's segments are all there right after it; none is cut before the next one. */
  private long enteredSoFar(StreamMemory memory) {
    memory
        .slices()
        .forEach(slice -> entered.putIfAbsent(slice.segment().id(), slice.segment().ids().length));
    return entered.values().stream().mapToLong(Integer::longValue).sum();
  }

  private void isOf(TextEvent event, Bench bench) {
    StreamMemory memory = memory(bench);
    MemoryFigures figures = requireNonNull(event.getMemory());
    assertThat(figures.getVisionRows()).isEqualTo(rows(memory, SegmentKind.VISION));
    assertThat(figures.getGeneratedRows()).isEqualTo(rows(memory, SegmentKind.GENERATED));
    assertThat(figures.getContextRows()).isEqualTo(rows(memory, SegmentKind.MEMORY));
    assertThat(
            figures.getVisionRows()
                + figures.getGeneratedRows()
                + figures.getContextRows()
                + figures.getRestRows())
        .isEqualTo(memory.rows());
    float[] times = new ContiguousPositions().positions(memory)[0];
    assertThat(figures.getPosition()).isEqualTo((long) times[times.length - 1]);
    assertThat(figures.getComputedRows()).isEqualTo(enteredSoFar(memory));
    assertThat(figures.getCountedFromRound()).isZero();
    StreamSettings settings = session(bench).settings();
    assertThat(figures.getSinkRows()).isEqualTo(settings.textSink()); // the instruction is longer
    assertThat(figures.getContextFull())
        .isEqualTo(figures.getContextRows() == settings.textSink() + settings.textWindow());
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 3_600_000})
  void eachEventHasTheFiguresOfItsRoundThroughCrashesAndRestores(long snapshotMillis)
      throws Exception {
    UnderstandSettings settings =
        Bench.settings(Duration.ofSeconds(10), Duration.ofMillis(snapshotMillis));
    OperatorSubtaskState state = null;
    long rounds = 0;
    for (int life = 0; life < 4; life++) {
      try (Bench bench = new Bench(fake.engine(), settings, state)) {
        for (int i = 0; i < 9; i++) {
          TextEvent event = second(bench);
          assertThat(event.getRound()).isEqualTo(rounds++);
          isOf(event, bench);
        }
        state = bench.snapshot();
        bench.offerSeconds(3, new Camera("b", 1)); // and what comes after it is lost
      }
    }
    assertThat(entered.values().stream().mapToInt(Integer::intValue).sum())
        .as("far more than is held")
        .isGreaterThan(300);
  }

  @Test
  void theTextMemoryStandsInTheEventOfEverySixtiethRound() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      for (int round = 0; round < 125; round++) {
        MemoryFigures figures = requireNonNull(second(bench).getMemory());
        if (round % 60 != 0) {
          assertThat(figures.getSink()).as("round %d", round).isNull();
          assertThat(figures.getWindow()).as("round %d", round).isNull();
          continue;
        }
        int[] ids = memory(bench).contextIds();
        assertThat(ids).hasSize(figures.getContextRows());
        int sink = figures.getSinkRows();
        assertThat(figures.getSink()).isEqualTo(fake.engine().decode(Arrays.copyOf(ids, sink)));
        assertThat(figures.getWindow())
            .isEqualTo(fake.engine().decode(Arrays.copyOfRange(ids, sink, ids.length)));
      }
      assertThat(bench.events())
          .filteredOn(event -> requireNonNull(event.getMemory()).getSink() != null)
          .extracting(TextEvent::getRound)
          .containsExactly(0L, 60L, 120L);
      assertThat(requireNonNull(last(bench).getMemory()).getContextFull()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"RESET", "PROMPT"})
  void theCountBeginsAgainWithTheMemory(CommandKind kind) throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      for (int i = 0; i < 5; i++) {
        second(bench);
      }
      bench.offer(
          camera.command("c", kind, Map.of(), kind == CommandKind.RESET ? "" : "watch the road"));
      TextEvent event = second(bench);

      assertThat(event.getRound()).isZero();
      isOf(event, bench);
      assertThat(requireNonNull(event.getMemory()).getSink()).isNotNull();
      isOf(second(bench), bench);
    }
  }

  @Test
  void onlyTheLastChunkOfAMergedRoundTellsOfTheMemory() throws Exception {
    UnderstandSettings merging =
        Bench.PATIENT.with(new Overload(OverloadMode.MERGE, Duration.ofSeconds(5), 8));
    try (Bench bench = new Bench(fake.engine(), merging)) {
      fake.hold();
      bench.harness.setProcessingTime(Camera.START_MICROS / 1000 + 1000);
      bench.offerSeconds(4, camera);
      bench.harness.setProcessingTime(Camera.START_MICROS / 1000 + 60_000);
      fake.letAllGo();
      bench.settle();

      assertThat(bench.events())
          .extracting(event -> event.getMerged() != null, event -> event.getMemory() == null)
          .containsExactly(
              tuple(false, false), tuple(true, true), tuple(true, false), tuple(false, false));
      MemoryFigures figures = requireNonNull(last(bench).getMemory());
      int left = rows(memory(bench), SegmentKind.VISION) / 3; // round 0's pictures: three are kept
      assertThat(figures.getComputedRows()).isEqualTo(memory(bench).rows() + left);
    }
  }

  @Test
  void aMergedRoundThatPassesASixtiethHasTheTextMemory() throws Exception {
    UnderstandSettings merging =
        Bench.PATIENT.with(new Overload(OverloadMode.MERGE, Duration.ofSeconds(5), 8));
    try (Bench bench = new Bench(fake.engine(), merging)) {
      for (int i = 0; i < 59; i++) {
        second(bench);
      }
      fake.hold();
      bench.harness.setProcessingTime(camera.micros / 1000);
      bench.offerSeconds(4, camera); // round 59 alone; then 60 and 61, and the newest
      bench.harness.setProcessingTime(camera.micros / 1000 + 60_000);
      fake.letAllGo();
      bench.settle();

      TextEvent event = bench.events().get(61);
      assertThat(event.getRound()).isEqualTo(61);
      assertThat(event.getMerged()).isEqualTo(new MergedRange(60L, 61L));
      assertThat(requireNonNull(event.getMemory()).getSink()).isNotNull();
    }
  }

  @Test
  void whatMadeNoRoundTellsOfNoMemory() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      second(bench);
      long before = requireNonNull(last(bench).getMemory()).getComputedRows();
      fake.refuseNextPrefills(2);
      assertThat(second(bench).getKind()).isEqualTo(TextKind.ERROR);
      assertThat(last(bench).getMemory()).isNull();
      camera.rest(3);
      TextEvent next = second(bench);
      assertThat(bench.events())
          .filteredOn(event -> event.getKind() == TextKind.GAP)
          .singleElement()
          .satisfies(event -> assertThat(event.getMemory()).isNull());
      assertThat(requireNonNull(next.getMemory()).getComputedRows()).isGreaterThan(before);
      isOf(next, bench);
      bench.offer(camera.end());
      bench.settle();
      assertThat(last(bench).getKind()).isEqualTo(TextKind.ENDED);
      assertThat(last(bench).getMemory()).isNull();
    }
  }

  @Test
  void aLifeOfAnEarlierReleaseIsCountedFromWhatIsHeld() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      for (int i = 0; i < 12; i++) {
        second(bench);
      }
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      ValueState<StoredStream> stored = bench.stateOf("a").stored();
      stored.update(uncounted(stored.value()));
      MemoryFigures first = requireNonNull(second(bench).getMemory());
      assertThat(first.getCountedFromRound()).isEqualTo(12);
      assertThat(first.getComputedRows()).isEqualTo(memory(bench).rows());
      MemoryFigures next = requireNonNull(second(bench).getMemory());
      assertThat(next.getCountedFromRound()).isEqualTo(12);
      assertThat(next.getComputedRows()).isGreaterThan(first.getComputedRows());
    }
  }

  private static StoredStream uncounted(StoredStream stored) throws IOException {
    StoredStreamSerializer serializer = new StoredStreamSerializer();
    DataOutputSerializer out = new DataOutputSerializer(64);
    serializer.serialize(stored, out);
    byte[] bytes = out.getCopyOfBuffer();
    bytes[0] = 4; // a layout that ends before the count
    return serializer.deserialize(new DataInputDeserializer(bytes));
  }

  @Test
  void allEventsOfATaskSayWhenItWasStarted() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, null, 5_000)) {
      second(bench);
      bench.harness.setProcessingTime(9_000);
      second(bench);
      assertThat(bench.records())
          .extracting(record -> record.headers().startedMillis())
          .containsExactly(5_000L, 5_000L);
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state, 20_000)) {
      second(bench);
      assertThat(bench.records())
          .extracting(record -> record.headers().startedMillis())
          .containsExactly(20_000L);
    }
  }
}
