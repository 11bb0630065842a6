// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Assembled.DeadFrame;
import io.everwatch.operators.chunk.Assembled.Gap;
import io.everwatch.operators.chunk.FakeCamera.Arrivals;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every stream, whatever a camera and a network do to it. */
class ChunkAssemblerPropertyTest {
  private static final int SEEDS = 4000;
  private static final int RECORDS = 300;

  @Test
  void accountsForEveryFrameAndEveryChunk() {
    for (int seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(seed);
      ChunkSettings settings = randomSettings(random);
      FakeCamera camera = FakeCamera.random(random);
      ChunkAssembler<Integer> assembler = ChunkAssembler.start(settings);
      Ledger ledger = new Ledger("seed %d, %s, %s".formatted(seed, camera, settings), settings);
      int offered = 0;
      for (Frame<Integer> frame : camera.records(random, RECORDS)) {
        ledger.book(assembler.offer(frame));
        ledger.balance(++offered, assembler);
      }
      ledger.book(assembler.finish());
      ledger.balance(offered, assembler);
      assertThat(assembler.pending()).as(ledger.at).isEqualTo(assembler.unreported().received());
    }
  }

  @Test
  void goesOnFromItsStateAtAnyRecord() {
    for (int seed = 0; seed < SEEDS / 4; seed++) {
      Random random = new Random(seed);
      ChunkSettings settings = randomSettings(random);
      FakeCamera camera = FakeCamera.random(random);
      List<Frame<Integer>> records = camera.records(random, RECORDS / 3);
      ChunkAssembler<Integer> straight = ChunkAssembler.start(settings);
      ChunkAssembler<Integer> restored = ChunkAssembler.start(settings);
      String at = "seed %d, %s, %s".formatted(seed, camera, settings);
      for (Frame<Integer> record : records) {
        if (random.nextInt(20) == 0) {
          int frames = 1 + random.nextInt(8);
          restored.changeRate(frames);
          straight.changeRate(frames);
        }
        AssemblerState<Integer> state = restored.state();
        restored = ChunkAssembler.restore(settings, state);
        assertThat(restored.state()).as(at).isEqualTo(state);
        assertThat(restored.offer(record)).as(at).isEqualTo(straight.offer(record));
        assertThat(restored.pending()).as(at).isEqualTo(straight.pending());
      }
      assertThat(restored.finish()).as(at).isEqualTo(straight.finish());
    }
  }

  @Test
  void accountsForEveryFrameWhateverTheFrameRateBecomes() {
    for (int seed = 0; seed < SEEDS / 4; seed++) {
      Random random = new Random(seed);
      ChunkSettings settings = randomSettings(random);
      FakeCamera camera = FakeCamera.random(random);
      ChunkAssembler<Integer> assembler = ChunkAssembler.start(settings);
      Ledger ledger = new Ledger("seed %d, %s, %s".formatted(seed, camera, settings), settings);
      ledger.anyRate = true;
      int offered = 0;
      for (Frame<Integer> frame : camera.records(random, RECORDS / 3)) {
        if (random.nextInt(20) == 0) {
          assembler.changeRate(1 + random.nextInt(8));
        }
        ledger.book(assembler.offer(frame));
        ledger.balance(++offered, assembler);
        assertThat(assembler.state().rates()).as(ledger.at).hasSizeLessThan(12);
      }
      ledger.book(assembler.finish());
      ledger.balance(offered, assembler);
    }
  }

  @Test
  void doesNotDependOnDisorderWithinTheLateness() {
    for (int seed = 0; seed < SEEDS / 4; seed++) {
      Random random = new Random(seed);
      ChunkSettings settings =
          new ChunkSettings(1_000_000, 1 + random.nextInt(8), 3_000_000, 16_000_000, 10_000_000);
      double fps = 2 + random.nextInt(59);
      int disorder = (int) (fps * 2); // two of three seconds
      FakeCamera camera =
          new FakeCamera(fps, 0, random.nextInt(2) * 0.1, 0, disorder, 0, 0, 0, Arrivals.BROKER);
      List<Frame<Integer>> records = camera.records(random, 400);
      List<Frame<Integer>> sorted = new ArrayList<>(records);
      sorted.sort((a, b) -> Long.compare(a.sequence(), b.sequence()));

      assertThat(used(settings, records))
          .as("seed %d, %s, %s", seed, camera, settings)
          .isEqualTo(used(settings, sorted));
    }
  }

  @Test
  void tellsEachAbsenceOfATrueClockInOneGapAndKeepsTheGrid() {
    for (int seed = 0; seed < SEEDS / 4; seed++) {
      Random random = new Random(seed);
      ChunkSettings settings = new ChunkSettings(1_000_000, 2, 2_000_000, 16_000_000, 10_000_000);
      FakeCamera camera =
          new FakeCamera(5, 50_000, 0, 0, 0, 0, 0, random.nextDouble() * 0.1, Arrivals.BROKER);
      List<Frame<Integer>> records = camera.records(random, RECORDS);
      ChunkAssembler<Integer> assembler = ChunkAssembler.start(settings);
      List<Assembled<Integer>> events = new ArrayList<>();
      records.forEach(record -> events.addAll(assembler.offer(record)));
      events.addAll(assembler.finish());

      long began = records.get(0).captureMicros();
      boolean gapBefore = false;
      for (Assembled<Integer> event : events) {
        String at = "seed %d, %s: %s".formatted(seed, camera, event);
        if (event instanceof Gap<Integer>) {
          assertThat(gapBefore).as(at + ": a second gap").isFalse();
        } else {
          Chunk<Integer> chunk = (Chunk<Integer>) event; // no frame is dead
          assertThat(chunk.startMicros()).as(at).isEqualTo(began + chunk.index() * 1_000_000);
          assertThat(chunk.clockReset()).as(at).isFalse();
        }
        gapBefore = event instanceof Gap;
      }
    }
  }

  /** Fast replays and catch-up: where arrivals say nothing, they change nothing. */
  @Test
  void takesABurstAsItTakesFramesOfWhichNoArrivalIsKnown() {
    for (int seed = 0; seed < SEEDS / 4; seed++) {
      Random random = new Random(seed);
      ChunkSettings settings = randomSettings(random);
      FakeCamera camera = FakeCamera.random(random);
      List<Frame<Integer>> records = camera.records(random, RECORDS / 3);

      assertThat(used(settings, arriving(records, 5)))
          .as("seed %d, %s, %s", seed, camera, settings)
          .isEqualTo(used(settings, arriving(records, Frame.ARRIVAL_UNKNOWN)));
    }
  }

  private static List<Frame<Integer>> arriving(List<Frame<Integer>> records, long micros) {
    return records.stream()
        .map(f -> new Frame<>(f.sequence(), f.captureMicros(), micros, f.payload()))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(doubles = {2, 4, 8, 24, 25, 29.97, 30, 48, 50, 59.94, 60})
  void closesInOrderStreamsAtOnceWithTheNearestFrames(double fps) {
    ChunkSettings settings = new ChunkSettings(1_000_000, 2, 2_000_000, 16_000_000, 10_000_000);
    ChunkAssembler<Integer> assembler = ChunkAssembler.start(settings);
    long start = 1_700_000_000_000_000L;
    Set<Integer> used = new HashSet<>();
    int chunks = 0;
    for (int i = 0; chunks < 200; i++) {
      long time = start + Math.round(i * 1e6 / fps);
      for (Assembled<Integer> event : assembler.offer(new Frame<>(i, time, time, i))) {
        Chunk<Integer> chunk = (Chunk<Integer>) event;
        for (int k = 0; k < 2; k++) {
          Frame<Integer> frame = chunk.frames().get(k);
          long distance =
              Math.abs(frame.captureMicros() - start - chunks * 1_000_000L - k * 500_000L);
          assertThat(distance).isLessThanOrEqualTo(Math.round(0.5e6 / fps) + 1);
          assertThat(used.add(frame.payload())).isTrue();
        }
        assertThat(chunk.frames().get(1).payload()).as("closed by its last frame").isEqualTo(i);
        chunks++;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {24, 30, 50, 60})
  void takesFramesExactlyOnTheGrid(int fps) {
    ChunkSettings settings = new ChunkSettings(1_000_000, 2, 2_000_000, 16_000_000, 10_000_000);
    ChunkAssembler<Integer> assembler = ChunkAssembler.start(settings);
    for (int i = 0; i < 100 * fps; i++) {
      long time = Math.round(i * 1e6 / fps);
      for (Assembled<Integer> event : assembler.offer(new Frame<>(i, time, time, i))) {
        Chunk<Integer> chunk = (Chunk<Integer>) event;
        assertThat(chunk.frames())
            .extracting(Frame::captureMicros)
            .containsExactly(chunk.index() * 1_000_000, chunk.index() * 1_000_000 + 500_000);
      }
    }
  }

  @Test
  void losesNoFrameOfAJitteryCameraOfTheGridsOwnRate() {
    ChunkSettings settings = new ChunkSettings(1_000_000, 2, 2_000_000, 16_000_000, 10_000_000);
    for (int seed = 0; seed < 300; seed++) {
      FakeCamera camera = new FakeCamera(2, 100_000, 0, 0, 0, 0, 0, 0, Arrivals.BROKER);
      ChunkAssembler<Integer> assembler = ChunkAssembler.start(settings);
      for (Frame<Integer> frame : camera.records(new Random(seed), 300)) {
        for (Assembled<Integer> event : assembler.offer(frame)) {
          assertThat(((Chunk<Integer>) event).counts())
              .as("seed %d", seed)
              .isEqualTo(new Counts(2, 2, 0, 0, 0));
        }
      }
      assertThat(assembler.pending()).isZero();
    }
  }

  @Test
  void keepsNoMoreThanItsBoundsWhateverComes() {
    for (int seed = 0; seed < 40; seed++) {
      Random random = new Random(seed);
      ChunkSettings settings = randomSettings(random);
      long openChunks = settings.allowedLatenessMicros() / settings.chunkMicros() + 3;
      ChunkAssembler<Integer> assembler = ChunkAssembler.start(settings);
      long time = 0;
      for (int i = 0; i < 3000; i++) {
        time = Math.max(0, time + random.nextLong(-200_000, 250_000));
        long sequence = random.nextInt(10) == 0 ? random.nextLong() : random.nextInt(100_000);
        long captured = random.nextInt(50) == 0 ? random.nextLong() : time;
        assembler.offer(new Frame<>(sequence, captured, random.nextLong(), i));
        AssemblerState<Integer> state = assembler.state();
        assertThat(state.waiting()).hasSizeLessThanOrEqualTo(ChunkAssembler.MAX_WAITING);
        assertThat(state.sequences().abandoned())
            .hasSizeLessThanOrEqualTo(ChunkAssembler.MAX_ABANDONED);
        assertThat((long) state.placed().size())
            .as("seed %d, record %d, %s", seed, i, settings)
            .isLessThanOrEqualTo(openChunks * settings.framesPerChunk());
      }
    }
  }

  private static List<List<Long>> used(ChunkSettings settings, List<Frame<Integer>> records) {
    ChunkAssembler<Integer> assembler = ChunkAssembler.start(settings);
    List<Assembled<Integer>> events = new ArrayList<>();
    records.forEach(record -> events.addAll(assembler.offer(record)));
    events.addAll(assembler.finish());
    return events.stream()
        .map(
            event ->
                event.<List<Long>>match(
                    chunk -> chunk.frames().stream().map(Frame::sequence).toList(),
                    gap -> List.of(gap.first(), gap.last()),
                    dead -> List.of(dead.frame().sequence(), -1L)))
        .toList();
  }

  private static ChunkSettings randomSettings(Random random) {
    return new ChunkSettings(
        500_000L * (1 + random.nextInt(4)),
        1 + random.nextInt(8),
        random.nextInt(4) * 1_000_000L,
        random.nextInt(20) * 1_000_000L,
        random.nextInt(10) == 0 ? 365L * 24 * 3_600_000_000L : 10_000_000L);
  }

  /** Books events and checks the sums of architecture §3a.6. */
  private static final class Ledger {
    private final String at;
    private final ChunkSettings settings;
    private final Set<Integer> used = new HashSet<>();
    private long nextChunk;
    private long received;
    private long dead;
    private boolean longGap;
    private boolean anyRate;

    Ledger(String at, ChunkSettings settings) {
      this.at = at;
      this.settings = settings;
    }

    void book(List<Assembled<Integer>> events) {
      for (Assembled<Integer> event : events) {
        if (event instanceof Chunk<Integer> chunk) {
          book(chunk);
        } else if (event instanceof Gap<Integer> gap) {
          assertThat(gap.first()).as(at).isEqualTo(nextChunk);
          assertThat(gap.last()).as(at).isGreaterThanOrEqualTo(gap.first());
          assertThat(gap.endMicros() - gap.startMicros())
              .as(at)
              .isEqualTo((gap.last() - gap.first() + 1) * settings.chunkMicros());
          nextChunk = gap.last() + 1;
          received += gap.counts().received();
          longGap = gap.endMicros() - gap.startMicros() > settings.maxGapMicros();
        } else if (event instanceof DeadFrame<Integer> frame) {
          assertThat(frame.detail()).as(at).contains("expected");
          assertThat(used.add(frame.frame().payload())).as(at).isTrue();
          dead++;
        }
      }
    }

    private void book(Chunk<Integer> chunk) {
      Counts counts = chunk.counts();
      assertThat(chunk.index()).as(at).isEqualTo(nextChunk++);
      int points = anyRate ? chunk.frames().size() : settings.framesPerChunk();
      assertThat(chunk.frames()).as(at).hasSize(points);
      List<Integer> distinct = chunk.frames().stream().map(Frame::payload).distinct().toList();
      assertThat(distinct).as(at).hasSize(counts.used());
      assertThat(used).as(at + ": a frame serves two chunks").doesNotContainAnyElementsOf(distinct);
      used.addAll(distinct);
      assertThat(counts.missing()).as(at).isEqualTo(points - counts.used());
      assertThat(counts.received())
          .as(at)
          .isEqualTo(counts.used() + counts.surplus() + counts.duplicate());
      assertThat(!longGap || chunk.dropVision()).as(at).isTrue();
      longGap = false;
      received += counts.received();
    }

    void balance(int offered, ChunkAssembler<Integer> assembler) {
      assertThat(received + dead + assembler.pending()).as(at).isEqualTo(offered);
    }
  }
}
