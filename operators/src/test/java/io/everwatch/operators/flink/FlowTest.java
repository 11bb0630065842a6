// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.flink.UnderstandSettings.Limits;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a subtask takes at most, of whom, and who waits for whom. */
@Timeout(120)
class FlowTest {
  /** 7.7 MB uncompressed: about the largest record that is read. */
  private static final int LARGE = 1600;

  private static final int LARGE_BYTES = LARGE * LARGE * 3;

  private final FakeEngines fake = FakeEngines.start();

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void noStoredValueGrowsWithThePictures() throws Exception {
    goesOnWithLargeFrames(null);
  }

  @Test
  void noStoredValueGrowsWithThePicturesOnRocksDb() throws Exception {
    EmbeddedRocksDBStateBackend backend = new EmbeddedRocksDBStateBackend(false);
    backend.setRocksDBOptions(new RocksDbOptions());
    goesOnWithLargeFrames(backend);
  }

  private void goesOnWithLargeFrames(@Nullable StateBackend backend) throws Exception {
    List<TextEvent> expected;
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT)) {
      large(bench, new Camera("a"), 7);
      bench.settle();
      expected = bench.events();
    }
    Camera camera = new Camera("a");
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT, 1, 0, null, backend)) {
      large(bench, camera, 2); // answered: of the log
      bench.settle();
      fake.hold();
      large(bench, camera, 3); // one chunk waits, one is open
      state = bench.snapshot();
      assertThat(storedBytes(bench, StreamStore.STREAM, new StoredStreamSerializer()))
          .isLessThan(10_000);
      assertThat(storedBytes(bench, StreamStore.PENDING, new TurnsSerializer())).isLessThan(10_000);
      assertThat(pictures(bench))
          .hasSize(5)
          .allSatisfy(size -> assertThat(size).isEqualTo(LARGE_BYTES));
      fake.letAllGo();
      assertThat(bench.events()).isEqualTo(expected.subList(0, 1));
    }
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT, 1, 0, state, backend)) {
      large(bench, camera, 2);
      bench.settle();
      bench.snapshot();
      assertThat(bench.events()).isEqualTo(expected.subList(1, 3));
      assertThat(pictures(bench)).as("those of the log and of the open chunk").hasSize(7);
      bench.offer(camera.command("c", CommandKind.RESET));
      bench.settle();
      bench.snapshot();
      assertThat(pictures(bench)).as("that of the open chunk").hasSize(1);
      bench.offer(camera.end());
      bench.settle();
      bench.snapshot();
      assertThat(pictures(bench)).isEmpty();
    }
  }

  @Test
  void takesNoRecordBeyondItsBound() throws Exception {
    UnderstandSettings four = Bench.PATIENT.with(Limits.DEFAULT.withInFlight(4));
    try (Bench bench = new Bench(fake.engine(), four)) {
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

      assertThat(most).isEqualTo(four.limits().inFlight());
      assertThat(bench.events()).hasSize(30);
      assertThat(bench.events().stream().filter(event -> event.getStreamId().equals("camera-3")))
          .extracting(TextEvent::getChunk)
          .containsExactly(0L, 1L, 2L);
    }
  }

  @Test
  void takesNoRecordBeyondItsBytes() throws Exception {
    long bound = 5L * LARGE_BYTES; // two chunks
    UnderstandSettings narrow = Bench.IMPATIENT.with(new Limits(64, bound, 0, 0));
    try (Bench bench = new Bench(fake.engine(), narrow)) {
      fake.hold();
      List<Camera> cameras = List.of(new Camera("a", 0), new Camera("b", 1), new Camera("c", 2));
      long most = 0;
      for (int i = 0; i < 4; i++) {
        for (Camera camera : cameras) {
          fake.letGo(); // else the next may wait for ever
          bench.offer(camera.large(LARGE));
          most = Math.max(most, bench.understanding().heapBytes());
        }
      }
      fake.letAllGo();
      bench.settle();

      assertThat(most).isBetween(2L * LARGE_BYTES, bound);
      assertThat(bench.events()).hasSize(6);
      assertThat(bench.understanding().heapBytes()).isZero();
    }
  }

  @Test
  void aSingleChunkLargerThanTheBoundIsTaken() throws Exception {
    UnderstandSettings tiny = Bench.IMPATIENT.with(new Limits(64, 1, 1, 0));
    try (Bench bench = new Bench(fake.engine(), tiny)) {
      Camera camera = new Camera("a");
      bench.offerSeconds(3, camera);
      bench.settle();
      assertThat(bench.events()).hasSize(3);
    }
  }

  @Test
  void aStreamWithABacklogDoesNotHoldUpTheOthers() throws Exception {
    List<TextEvent> expected;
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT)) {
      bench.offerSeconds(40, new Camera("backlog"));
      bench.settle();
      expected = bench.events();
    }
    UnderstandSettings eight =
        Bench.IMPATIENT.with(new Limits(8, Limits.DEFAULT.inFlightBytes(), 1 << 20, 0));
    Camera backlog = new Camera("backlog");
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), eight)) {
      fake.hold();
      bench.offerSeconds(40, backlog); // more than the eight, and nothing is answered
      Camera other = new Camera("other", 1);
      bench.offerSeconds(1, other);
      assertThat(bench.understanding().parked()).isEqualTo(38);
      state = bench.snapshot();
      fake.letAllGo();
      bench.settle();

      List<TextEvent> events = bench.events();
      List<String> order = events.stream().map(TextEvent::getStreamId).toList();
      assertThat(order.indexOf("other")).as("%s", order).isLessThan(4);
      events.removeIf(event -> event.getStreamId().equals("other"));
      assertThat(events).isEqualTo(expected);
      assertThat(bench.understanding().parked()).isZero();
    }
    try (Bench bench = new Bench(fake.engine(), eight, state)) {
      bench.settle();
      List<TextEvent> events = bench.events();
      events.removeIf(event -> event.getStreamId().equals("other"));
      assertThat(events).as("after a restore").isEqualTo(expected);
      bench.snapshot();
      assertThat(pictures(bench, "other")).as("of the log").hasSize(2);
    }
  }

  /** With one token a round: while longer ones are said, others may come further, or not. */
  @Test
  void theEngineTakesTheStreamsInTurn() throws Exception {
    Camera first = new Camera("first");
    Camera second = new Camera("second", 1);
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT)) {
      for (Camera camera : List.of(first, second)) {
        bench.offer(camera.command("brief", CommandKind.START, Map.of("max_new_tokens", "1"), ""));
      }
      fake.hold();
      bench.offerSeconds(6, first);
      bench.offerSeconds(3, second);
      fake.letAllGo();
      bench.settle();

      List<String> order =
          bench.events().stream()
              .filter(event -> event.getSubject().isEmpty())
              .map(TextEvent::getStreamId)
              .toList();
      assertThat(order.subList(0, 6)).containsOnly("first", "second");
      assertThat(order.subList(0, 6).stream().filter("second"::equals)).hasSizeBetween(2, 3);
    }
  }

  @Test
  void refusesStreamsBeyondTheLimitUntilOneEnds() throws Exception {
    UnderstandSettings two = Bench.IMPATIENT.with(new Limits(64, 1 << 20, 0, 2));
    Camera a = new Camera("a", 0);
    Camera b = new Camera("b", 1);
    Camera c = new Camera("c", 2);
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), two)) {
      bench.offerSeconds(1, a);
      bench.offerSeconds(1, b);
      bench.offerSeconds(1, c);
      bench.offer(c.command("start", CommandKind.START));
      bench.settle();
      assertThat(bench.deadLetters())
          .hasSize(2)
          .allSatisfy(
              letter -> {
                assertThat(letter.getReason()).isEqualTo("STREAM_LIMIT");
                assertThat(letter.getStreamId()).isEqualTo("c");
                assertThat(letter.getDetail()).contains("2 streams", "limits.streams");
              });
      assertThat(bench.events()).hasSize(3);
      assertThat(bench.events())
          .filteredOn(event -> event.getKind() == TextKind.NOTICE)
          .singleElement()
          .satisfies(notice -> assertThat(notice.getText()).startsWith("refused: 2 streams"));
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), two, state)) {
      bench.offer(c.frame()); // neither a nor b has been touched
      fake.hold();
      bench.offerSeconds(1, a);
      bench.offer(a.end()); // its chunk is not answered yet
      bench.offerSeconds(1, c);
      bench.offerSeconds(1, new Camera("d", 3));
      OperatorSubtaskState held = bench.snapshot();
      fake.letAllGo();
      bench.settle();
      assertThat(bench.deadLetters())
          .extracting(l -> l.getStreamId())
          .containsExactly("c", "d", "d");
      assertThat(bench.events())
          .extracting(TextEvent::getStreamId)
          .containsExactlyInAnyOrder("a", "a", "c");
      state = held;
    }
    try (Bench bench = new Bench(fake.engine(), two, state)) {
      bench.offerSeconds(1, new Camera("e", 4)); // the end of a waits in the restored queue
      bench.offerSeconds(1, b);
      bench.settle();
      assertThat(bench.deadLetters()).extracting(l -> l.getStreamId()).containsExactly("e", "e");
      assertThat(bench.events()).extracting(TextEvent::getKind).contains(TextKind.ENDED).hasSize(4);
    }
  }

  private static void large(Bench bench, Camera camera, int count) throws Exception {
    for (int i = 0; i < count; i++) {
      bench.offer(camera.large(LARGE));
    }
  }

  private static <T> int storedBytes(Bench bench, String name, TypeSerializer<T> serializer)
      throws Exception {
    bench.operator().setCurrentKey(StreamKey.of("a"));
    T value =
        bench
            .operator()
            .getRuntimeContext()
            .getState(new ValueStateDescriptor<>(name, serializer))
            .value();
    DataOutputSerializer out = new DataOutputSerializer(64);
    serializer.serialize(value, out);
    return out.length();
  }

  private static List<Integer> pictures(Bench bench) throws Exception {
    return pictures(bench, "a");
  }

  private static List<Integer> pictures(Bench bench, String stream) throws Exception {
    return bench.stateOf(stream).pictures().values().stream()
        .map(frame -> frame.bytes().length)
        .toList();
  }
}
