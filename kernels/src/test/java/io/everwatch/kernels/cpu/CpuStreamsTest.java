// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batches;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What must hold for the attention of streams that share a call. */
class CpuStreamsTest {
  private static final KvShape SHAPE = new KvShape(2, 6, 2, 16, new int[] {2, 3, 3}, 10_000);
  private static final int WIDTH = SHAPE.heads() * SHAPE.headDim();
  private static final int TOKEN = WIDTH + 2 * SHAPE.kvHeads() * SHAPE.headDim();
  private static final long SEED = 99;

  /** A stream's memory and new tokens, all a function of its number. */
  private record Stream(int number) {
    int loaded() {
      return number % 5 == 0 ? number : 3 + number * 17 % 211;
    }

    int computed() {
      return 1 + number * 7 % 13;
    }

    float[] cached() {
      return Samples.gaussian(SEED + number, loaded() * (int) SHAPE.rowElements());
    }

    float[] qkv() {
      return Samples.gaussian(SEED + 1000 + number, computed() * TOKEN);
    }
  }

  /** Output of each stream when these run together, their rows in slots ordered by a seed. */
  private static List<float[]> together(Backend backend, List<Stream> streams, long slotSeed) {
    int rows = streams.stream().mapToInt(s -> s.loaded() + s.computed()).sum();
    int[] slots = Samples.permutation(slotSeed, rows);
    int tokens = streams.stream().mapToInt(Stream::computed).sum();
    List<Span> spans = new ArrayList<>();
    float[] qkv = new float[tokens * TOKEN];
    try (RowPool pool = backend.rowPool(SHAPE, rows);
        Arena arena = backend.arena()) {
      int row = 0;
      int token = 0;
      for (Stream stream : streams) {
        int end = row + stream.loaded() + stream.computed();
        Context context = backend.context(pool);
        float[] cached = stream.cached();
        Batches.write(pool, Arrays.copyOfRange(slots, row, row + stream.loaded()), cached);
        float[][] positions = CpuAttentionTest.positions(end - row);
        int split = row + stream.loaded();
        context.load(
            Arrays.copyOfRange(slots, row, split),
            CpuAttentionTest.part(positions, 0, stream.loaded()));
        context.extend(
            Arrays.copyOfRange(slots, split, end),
            CpuAttentionTest.part(positions, stream.loaded(), end - row));
        System.arraycopy(stream.qkv(), 0, qkv, token * TOKEN, stream.computed() * TOKEN);
        spans.add(new Span(context, token, stream.computed()));
        token += stream.computed();
        row = end;
      }
      DeviceBuffer in = CpuOperationsTest.padded(backend, arena, qkv);
      DeviceBuffer out = arena.allocate(tokens, WIDTH);
      backend.attend(1, in, Batches.of(backend, spans), out);
      List<float[]> results = new ArrayList<>();
      for (Span span : spans) {
        float[] result = new float[span.count() * WIDTH];
        backend.download(out, (long) span.first() * WIDTH, result, 0, result.length);
        results.add(result);
        span.context().close();
      }
      return results;
    }
  }

  private static List<Stream> streams(int count) {
    return java.util.stream.IntStream.range(0, count).mapToObj(Stream::new).toList();
  }

  @ParameterizedTest(name = "plain {0}, {1} streams")
  @CsvSource({"true,2", "true,8", "true,64", "false,2", "false,8", "false,64"})
  void aStreamsBitsAreTheSameAloneAndWithOthers(boolean plain, int count) {
    try (Backend backend = Backends.open("cpu", new BackendOptions(1, plain))) {
      List<Stream> all = streams(count);
      List<float[]> together = together(backend, all, SEED);
      for (int i = 0; i < count; i += Math.max(1, count / 5)) {
        float[] alone = together(backend, List.of(all.get(i)), SEED).get(0);
        assertThat(together.get(i)).as("stream %d", i).isEqualTo(alone);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theNumberOfThreadsChangesNoBit(boolean plain) {
    List<float[]> expected;
    try (Backend one = Backends.open("cpu", new BackendOptions(1, plain))) {
      expected = together(one, streams(24), SEED);
    }
    for (int threads : new int[] {2, 3, 5}) {
      try (Backend backend = Backends.open("cpu", new BackendOptions(threads, plain))) {
        List<float[]> actual = together(backend, streams(24), SEED);
        for (int i = 0; i < expected.size(); i++) {
          assertThat(actual.get(i)).as("%d threads", threads).isEqualTo(expected.get(i));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void thePlaceOfRowsInThePoolChangesNoBit(boolean plain) {
    try (Backend backend = Backends.open("cpu", new BackendOptions(1, plain))) {
      List<float[]> one = together(backend, streams(6), SEED);
      List<float[]> other = together(backend, streams(6), SEED + 1);
      for (int i = 0; i < one.size(); i++) {
        assertThat(other.get(i)).isEqualTo(one.get(i));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aStreamOfNotANumbersHarmsNoOther(boolean plain) {
    try (Backend backend = Backends.open("cpu", new BackendOptions(1, plain));
        RowPool pool = backend.rowPool(SHAPE, 400);
        Arena arena = backend.arena()) {
      float[] good = Samples.gaussian(SEED, 70 * TOKEN);
      float[] bad = new float[70 * TOKEN];
      Arrays.fill(bad, Float.NaN);
      float[] expected = prefill(backend, pool, arena, good, 0, 70);
      prefill(backend, pool, arena, bad, 100, 70); // leaves NaN in all memory that is used again
      assertThat(prefill(backend, pool, arena, good, 200, 70)).isEqualTo(expected);
    }
  }

  private static float[] prefill(
      Backend backend, RowPool pool, Arena arena, float[] qkv, int slot, int... pieces) {
    int rows = Arrays.stream(pieces).sum();
    float[][] positions = CpuAttentionTest.positions(rows);
    int[] slots = java.util.stream.IntStream.range(slot, slot + rows).toArray();
    float[] result = new float[rows * WIDTH];
    try (Context context = backend.context(pool)) {
      int done = 0;
      for (int count : pieces) {
        arena.reset();
        context.extend(
            Arrays.copyOfRange(slots, done, done + count),
            CpuAttentionTest.part(positions, done, done + count));
        DeviceBuffer in = arena.allocate(count, TOKEN);
        DeviceBuffer out = arena.allocate(count, WIDTH);
        backend.upload(qkv, done * TOKEN, count * TOKEN, in);
        backend.attend(0, in, Batches.of(backend, context, count), out);
        backend.download(out, 0, result, done * WIDTH, count * WIDTH);
        done += count;
      }
      assertThat(context.rows()).isEqualTo(rows);
    }
    return result;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void prefillInPiecesAndDecodeEqualPrefillAtOnce(boolean plain) {
    int rows = 150;
    float[] qkv = Samples.gaussian(SEED, rows * TOKEN);
    int[] oneByOne = new int[rows];
    Arrays.fill(oneByOne, 1);
    try (Backend backend = Backends.open("cpu", new BackendOptions(1, plain));
        RowPool pool = backend.rowPool(SHAPE, rows);
        Arena arena = backend.arena()) {
      float[] atOnce = prefill(backend, pool, arena, qkv, 0, rows);
      float[] inPieces = prefill(backend, pool, arena, qkv, 0, 64, 1, 40, 45);
      float[] decoded = prefill(backend, pool, arena, qkv, 0, oneByOne);
      double limit =
          Tolerance.ofAttention(
              rows, SHAPE.headDim(), Tolerance.largest(qkv), Tolerance.largest(qkv));
      assertThat(Tolerance.worstDifference(atOnce, inPieces)).isLessThan(limit);
      assertThat(Tolerance.worstDifference(atOnce, decoded)).isLessThan(limit);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void longPrefillsAreTheSameInTilesOfScores(boolean plain) {
    int rows = 700; // 700 x 3 heads x 700 scores do not fit in one tile
    float[] qkv = Samples.gaussian(SEED, rows * TOKEN);
    try (Backend backend = Backends.open("cpu", new BackendOptions(2, plain));
        RowPool pool = backend.rowPool(SHAPE, rows);
        Arena arena = backend.arena()) {
      float[] atOnce = prefill(backend, pool, arena, qkv, 0, rows);
      float[] inPieces = prefill(backend, pool, arena, qkv, 0, 20, 80, 300, 299, 1);
      double limit =
          Tolerance.ofAttention(
              rows, SHAPE.headDim(), Tolerance.largest(qkv), Tolerance.largest(qkv));
      assertThat(Tolerance.worstDifference(atOnce, inPieces)).isLessThan(limit);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aComputedRowThatIsLoadedLaterCountsAsBefore(boolean plain) {
    int rows = 90;
    float[] qkv = Samples.gaussian(SEED, (rows + 1) * TOKEN);
    int[] slots = Samples.permutation(SEED, rows + 1);
    float[][] positions = CpuAttentionTest.positions(rows + 1);
    try (Backend backend = Backends.open("cpu", new BackendOptions(1, plain));
        RowPool pool = backend.rowPool(SHAPE, rows + 1);
        Arena arena = backend.arena();
        Context computed = backend.context(pool);
        Context loaded = backend.context(pool)) {
      DeviceBuffer in = arena.allocate(rows, TOKEN);
      DeviceBuffer one = arena.allocate(1, TOKEN);
      DeviceBuffer out = arena.allocate(rows, WIDTH);
      backend.upload(qkv, 0, rows * TOKEN, in);
      backend.upload(qkv, rows * TOKEN, TOKEN, one);
      computed.extend(Arrays.copyOf(slots, rows), CpuAttentionTest.part(positions, 0, rows));
      backend.attend(0, in, Batches.of(backend, computed, rows), out);
      loaded.load(Arrays.copyOf(slots, rows), CpuAttentionTest.part(positions, 0, rows));
      List<float[]> results = new ArrayList<>();
      for (Context context : List.of(computed, loaded)) {
        context.extend(
            Arrays.copyOfRange(slots, rows, rows + 1),
            CpuAttentionTest.part(positions, rows, rows + 1));
        backend.attend(0, one, Batches.of(backend, context, 1), out);
        results.add(CpuOperationsTest.download(backend, out, WIDTH));
      }
      assertThat(results.get(1)).isEqualTo(results.get(0));
    }
  }
}
