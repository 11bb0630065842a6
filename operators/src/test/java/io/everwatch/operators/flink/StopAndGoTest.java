// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Stopped anywhere, restored at any parallelism and continued gives the same bytes. */
@Timeout(120)
class StopAndGoTest {
  private static final FakeEngines FAKE = FakeEngines.start();

  /**
   * The state is taken before record {@code at}; {@code lost} further records are answered and
   * forgotten, as by a crash; it goes on with {@code parallelism} subtasks.
   */
  private record Cut(int at, int lost, int parallelism) {}

  /** What came out, per stream in order; dead letters in any order of the streams. */
  private record Output(Map<String, List<String>> texts, List<String> deadLetters) {
    Output() {
      this(new TreeMap<>(), new ArrayList<>());
    }

    void add(Bench bench) throws Exception {
      for (TextRecord record : bench.records()) {
        texts
            .computeIfAbsent(record.streamId(), id -> new ArrayList<>())
            .add(WireFormat.decodeText(record.value()) + HexFormat.of().formatHex(record.value()));
      }
      for (DeadLetter letter : bench.deadLetters()) {
        deadLetters.add(letter.toString());
      }
    }
  }

  @AfterAll
  static void closeEngine() {
    FAKE.close();
  }

  static IntStream seeds() {
    return IntStream.range(0, 40);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void givesTheSameBytesAsNeverStopped(int seed) throws Exception {
    runsAlike(seed, null);
  }

  /** The runs above say something of commands only if their scenarios have all of them. */
  @Test
  void scenariosHaveCommandsOfEveryKindObeyedAndRefused() throws Exception {
    List<String> answers = new ArrayList<>();
    List<String> applied = new ArrayList<>();
    for (int seed : seeds().toArray()) {
      Random random = new Random(seed);
      List<FrameRecord> records = Scenario.draw(random, 1 + random.nextInt(4), 40);
      try (Bench bench = new Bench(FAKE.engine(), settings(64, 0, 3600_000))) {
        for (FrameRecord record : records) {
          bench.offer(record);
        }
        bench.settle();
        for (TextEvent event : bench.events()) {
          applied.addAll(event.getAppliedCommands());
          if (event.getKind() == TextKind.NOTICE) {
            answers.add(event.getText());
          }
        }
      }
    }
    assertThat(answers)
        .anyMatch(answer -> answer.startsWith("started: "))
        .anyMatch(answer -> answer.startsWith("started again"))
        .anyMatch(answer -> answer.startsWith("stopped"))
        .anyMatch(answer -> answer.startsWith("new instruction"))
        .anyMatch(answer -> answer.startsWith("the memory begins again"))
        .anyMatch(answer -> answer.startsWith("set: seed="))
        .anyMatch(answer -> answer.startsWith("refused"));
    assertThat(applied).hasSizeGreaterThan(40);
  }

  @Test
  void givesTheSameBytesOnRocksDb() throws Exception {
    // Not incremental: the harness has nobody who knows which files earlier checkpoints share.
    EmbeddedRocksDBStateBackend backend =
        new EmbeddedRocksDBStateBackend(/* enableIncrementalCheckpointing= */ false);
    backend.setRocksDBOptions(new RocksDbOptions());
    for (int seed = 1000; seed < 1004; seed++) {
      runsAlike(seed, backend);
    }
  }

  /** Every third run of three chunks is skipped, as it was decided once. */
  private static final OverloadDecisions RECORDED =
      candidate ->
          (candidate.stream().streamId().hashCode() + candidate.chunk() / 3) % 3 == 0
              ? Optional.of("overload: decision " + candidate.chunk() / 7)
              : Optional.empty();

  @ParameterizedTest
  @MethodSource("seeds")
  void givesTheSameBytesWithTheSameSkips(int seed) throws Exception {
    runsAlike(seed + 2000, null, RECORDED);
  }

  /**
   * Two of three groups of three chunks, as many as are remembered with pictures, are understood
   * together, as far as they are in a row.
   */
  private static final OverloadDecisions MERGED =
      new OverloadDecisions() {
        private static final long serialVersionUID = 1;

        @Override
        public Optional<String> skip(Candidate candidate) {
          return candidate.chunk() % 11 == 3 ? RECORDED.skip(candidate) : Optional.empty();
        }

        @Override
        public long through(List<Candidate> chunks) {
          long chunk = chunks.get(0).chunk();
          String stream = chunks.get(0).stream().streamId();
          return (stream.hashCode() + chunk / 3) % 3 == 0 ? chunk : chunk - chunk % 3 + 2;
        }
      };

  /** The runs below say something of merged rounds only if their scenarios make some. */
  @Test
  void scenariosHaveMergedRoundsWholeAndCutShort() throws Exception {
    List<Long> lengths = new ArrayList<>();
    for (int seed = 3000; seed < 3010; seed++) {
      Random random = new Random(seed);
      List<FrameRecord> records = Scenario.draw(random, 1 + random.nextInt(4), 40);
      try (Bench bench =
          new Bench(FAKE.engine(), settings(64, 0, 3600_000), MERGED, 1, 0, null, null)) {
        for (FrameRecord record : records) {
          bench.offer(record);
        }
        bench.harness.endInput();
        for (TextEvent event : bench.events()) {
          if (event.getMerged() != null && event.getChunk() == event.getMerged().getLastChunk()) {
            lengths.add(event.getChunk() - event.getMerged().getFirstChunk() + 1);
          }
        }
      }
    }
    assertThat(lengths).hasSizeGreaterThan(40).contains(2L, 3L);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void givesTheSameBytesWithTheSameMerges(int seed) throws Exception {
    runsAlike(seed + 3000, null, MERGED);
  }

  private static void runsAlike(int seed, @Nullable StateBackend backend) throws Exception {
    runsAlike(seed, backend, OverloadDecisions.byLag(Duration.ofDays(1), 8));
  }

  private static void runsAlike(
      int seed, @Nullable StateBackend backend, OverloadDecisions decisions) throws Exception {
    Random random = new Random(seed);
    List<FrameRecord> records = Scenario.draw(random, 1 + random.nextInt(4), 40);
    Output expected =
        run(records, List.of(), settings(64, 0, 3600_000), decisions, null, new Random(0));
    List<Cut> cuts = new ArrayList<>();
    int at = 0;
    for (int i = random.nextInt(4) + 1; i > 0 && at < records.size(); i--) {
      at += random.nextInt(records.size() - at);
      cuts.add(new Cut(at, random.nextInt(12), 1 + random.nextInt(2)));
    }
    UnderstandSettings settings =
        settings(
            // Chunks that wait for others of their round are in the way of those behind them.
            decisions == MERGED ? 64 : List.of(1, 3, 64).get(random.nextInt(3)),
            random.nextBoolean() ? 0 : 10_000,
            List.of(0, 2000, 3600_000).get(random.nextInt(3)));

    Output actual = run(records, cuts, settings, decisions, backend, random);

    assertThat(actual.texts).as("seed %d, %s, %s", seed, cuts, settings).isEqualTo(expected.texts);
    assertThat(actual.deadLetters)
        .as("dead letters of seed %d, %s, %s", seed, cuts, settings)
        .containsExactlyInAnyOrderElementsOf(expected.deadLetters);
  }

  private static UnderstandSettings settings(int maxInFlight, long drainMillis, long interval) {
    return new UnderstandSettings(
        maxInFlight, Duration.ofMillis(drainMillis), Duration.ofMillis(interval), 1 << 16);
  }

  private static Output run(
      List<FrameRecord> records,
      List<Cut> cuts,
      UnderstandSettings settings,
      OverloadDecisions decisions,
      @Nullable StateBackend backend,
      Random random)
      throws Exception {
    Output output = new Output();
    List<OperatorSubtaskState> states = List.of();
    int parallelism = 1;
    int position = 0;
    for (Cut cut : cuts) {
      List<Bench> benches = open(parallelism, states, settings, decisions, backend);
      feed(benches, records.subList(position, cut.at), random);
      states = new ArrayList<>();
      for (Bench bench : benches) {
        states.add(bench.snapshot());
        output.add(bench);
      }
      feed(benches, records.subList(cut.at, Math.min(records.size(), cut.at + cut.lost)), random);
      close(benches);
      position = cut.at;
      parallelism = cut.parallelism;
    }
    List<Bench> benches = open(parallelism, states, settings, decisions, backend);
    feed(benches, records.subList(position, records.size()), random);
    for (Bench bench : benches) {
      bench.harness.endInput(); // what waits for more of its round goes on without
      bench.settle();
      output.add(bench);
    }
    close(benches);
    return output;
  }

  private static List<Bench> open(
      int parallelism,
      List<OperatorSubtaskState> states,
      UnderstandSettings settings,
      OverloadDecisions decisions,
      @Nullable StateBackend backend)
      throws Exception {
    List<Bench> benches = new ArrayList<>();
    for (int i = 0; i < parallelism; i++) {
      OperatorSubtaskState state =
          states.isEmpty()
              ? null
              : AbstractStreamOperatorTestHarness.repartitionOperatorState(
                  AbstractStreamOperatorTestHarness.repackageState(
                      states.toArray(OperatorSubtaskState[]::new)),
                  Bench.MAX_PARALLELISM,
                  states.size(),
                  parallelism,
                  i);
      benches.add(new Bench(FAKE.engine(), settings, decisions, parallelism, i, state, backend));
    }
    return benches;
  }

  /** Time passes, answers come when they come, and a checkpoint may pass at any record. */
  private static void feed(List<Bench> benches, List<FrameRecord> records, Random random)
      throws Exception {
    for (FrameRecord record : records) {
      int index =
          KeyGroupRangeAssignment.assignKeyToParallelOperator(
              record.key(), Bench.MAX_PARALLELISM, benches.size());
      Bench bench = benches.get(index);
      bench.offer(record);
      switch (random.nextInt(8)) {
        case 0 -> {
          while (bench.understanding().running() > 0) { // chunks may wait for others of their round
            bench.runMail();
          }
        }
        case 1, 2, 3 -> bench.runMails();
        case 4 -> bench.harness.setProcessingTime(bench.harness.getProcessingTime() + 700);
        case 5 -> bench.snapshot();
        default -> {}
      }
    }
  }

  private static void close(List<Bench> benches) throws Exception {
    for (Bench bench : benches) {
      bench.close();
    }
  }
}
