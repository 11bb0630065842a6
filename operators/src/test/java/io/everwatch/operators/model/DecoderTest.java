// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Span;
import io.everwatch.operators.verify.GoldenLimits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DecoderTest {
  private static final Backend CPU = Backends.open("cpu", new BackendOptions(2, false));

  private static final Path SHIPPED =
      Path.of("src/main/resources/io/everwatch/models/everwatch-tiny");

  @AfterAll
  static void close() {
    CPU.close();
  }

  static Stream<Path> checkpoints() {
    return Stream.of(GoldenFolder.TINY_A, GoldenFolder.TINY_B, SHIPPED);
  }

  @ParameterizedTest
  @MethodSource("checkpoints")
  void decodingTokenByTokenEqualsOnePrefill(Path checkpoint) {
    Decoder decoder = decoder(checkpoint);
    int[] ids = ids(23, 1);

    float[] whole = logits(decoder, List.of(ids), ids.length);

    for (int piece : new int[] {1, 5}) {
      assertThat(logits(decoder, List.of(ids), piece))
          .containsExactly(whole, Offset.offset((float) GoldenLimits.LOGITS));
    }
  }

  @ParameterizedTest
  @MethodSource("checkpoints")
  void streamsTogetherGetTheBitsOfEachAlone(Path checkpoint) {
    Decoder decoder = decoder(checkpoint);
    List<int[]> streams = List.of(ids(9, 1), ids(1, 2), ids(30, 3), ids(2, 4));
    for (int piece : new int[] {1, 7, 30}) {
      float[] together = logits(decoder, streams, piece);

      float[] alone = new float[0];
      for (int[] stream : streams) {
        alone = concat(alone, logits(decoder, List.of(stream), piece));
      }
      assertThat(together).as("pieces of %d", piece).isEqualTo(alone);
    }
  }

  @Test
  void chosenRowsHaveTheirLogitsAmongAll() {
    Decoder decoder = decoder(GoldenFolder.TINY_A);
    int[] ids = ids(12, 6);
    int vocabulary = decoder.vocabSize();

    Run all = run(decoder, ids, IntStream.range(0, ids.length).toArray());
    Run two = run(decoder, ids, new int[] {11, 4});

    assertThat(two.logits())
        .isEqualTo(
            concat(
                Arrays.copyOfRange(all.logits(), 11 * vocabulary, 12 * vocabulary),
                Arrays.copyOfRange(all.logits(), 4 * vocabulary, 5 * vocabulary)));
    assertThat(two.cached()).as("K and V of every row").isDeepEqualTo(all.cached());
  }

  /** Logits {@code [R, V]} of chosen rows and all rows of the pool, one after the other. */
  private record Run(float[] logits, byte[][] cached) {}

  private static Run run(Decoder decoder, int[] ids, int[] rows) {
    try (RowPool pool = CPU.rowPool(decoder.kvShape(), ids.length);
        Context context = CPU.context(pool);
        Arena arena = CPU.arena()) {
      context.extend(IntStream.range(0, ids.length).toArray(), positions(0, ids.length));
      List<Span> spans = List.of(new Span(context, 0, ids.length));
      Batch batch = CPU.prefillBatch(spans, ids, rows, List.of());
      DeviceBuffer out = decoder.forward(decoder.embed(batch, arena), batch, arena);
      float[] logits = new float[rows.length * decoder.vocabSize()];
      CPU.download(decoder.logits(out, batch, arena), 0, logits, 0, logits.length);
      return new Run(logits, pool.read(IntStream.range(0, ids.length).toArray()).await());
    }
  }

  @Test
  void visionRowsStandInForPads() {
    Decoder decoder = decoder(GoldenFolder.TINY_A);
    try (RowPool pool = CPU.rowPool(decoder.kvShape(), 4);
        Context context = CPU.context(pool);
        Arena arena = CPU.arena()) {
      context.extend(new int[] {0, 1, 2, 3}, positions(0, 4));
      DeviceBuffer vision = decoder.embed(batch(context, 7, 8), arena);
      DeviceBuffer x = decoder.embed(batch(context, 1, 499, 2, 499), arena);

      decoder.placeVision(vision, 0, new int[] {3, 1}, x);

      DeviceBuffer expected = decoder.embed(batch(context, 1, 8, 2, 7), arena);
      assertThat(values(x)).isEqualTo(values(expected));
    }
  }

  private static Batch batch(Context context, int... ids) {
    List<Span> span = List.of(new Span(context, 0, ids.length));
    return CPU.prefillBatch(span, ids, new int[0], List.of());
  }

  private static float[] values(DeviceBuffer buffer) {
    float[] values = new float[4 * 128];
    CPU.download(buffer, 0, values, 0, values.length);
    return values;
  }

  private static Decoder decoder(Path checkpoint) {
    return Model.load(ModelFolder.open(checkpoint), CPU).decoder();
  }

  private static int[] ids(int count, long seed) {
    return new Random(seed).ints(count, 0, 432).toArray();
  }

  /**
   * Runs all streams side by side, up to {@code piece} tokens of each at a time.
   *
   * @return logits of all rows, stream after stream
   */
  private static float[] logits(Decoder decoder, List<int[]> streams, int piece) {
    int longest = streams.stream().mapToInt(stream -> stream.length).max().orElse(0);
    List<float[]> found = new ArrayList<>(streams.stream().map(stream -> new float[0]).toList());
    List<Context> contexts = new ArrayList<>();
    try (RowPool pool = CPU.rowPool(decoder.kvShape(), longest * streams.size());
        Arena arena = CPU.arena()) {
      streams.forEach(stream -> contexts.add(CPU.context(pool)));
      for (int from = 0; from < longest; from += piece) {
        arena.reset();
        int[] ids = new int[0];
        List<Span> spans = new ArrayList<>();
        List<Integer> who = new ArrayList<>();
        for (int s = 0; s < streams.size(); s++) {
          int count = Math.min(piece, streams.get(s).length - from);
          if (count > 0) {
            int slot = s * longest + from;
            contexts
                .get(s)
                .extend(IntStream.range(slot, slot + count).toArray(), positions(from, count));
            spans.add(new Span(contexts.get(s), ids.length, count));
            int[] part = Arrays.copyOfRange(streams.get(s), from, from + count);
            ids = IntStream.concat(Arrays.stream(ids), Arrays.stream(part)).toArray();
            who.add(s);
          }
        }
        int[] every = IntStream.range(0, ids.length).toArray();
        Batch batch = CPU.prefillBatch(spans, ids, every, List.of());
        DeviceBuffer last = decoder.forward(decoder.embed(batch, arena), batch, arena);
        DeviceBuffer out = decoder.logits(last, batch, arena);
        for (int i = 0; i < who.size(); i++) {
          float[] rows = new float[spans.get(i).count() * decoder.vocabSize()];
          CPU.download(
              out, (long) spans.get(i).first() * decoder.vocabSize(), rows, 0, rows.length);
          found.set(who.get(i), concat(found.get(who.get(i)), rows));
        }
      }
    } finally {
      contexts.forEach(Context::close);
    }
    return found.stream().reduce(new float[0], DecoderTest::concat);
  }

  /** Text positions {@code [3][count]} with a fraction, as behind a clip. */
  private static float[][] positions(int from, int count) {
    float[] axis = new float[count];
    for (int i = 0; i < count; i++) {
      axis[i] = from + i + 0.25f;
    }
    return new float[][] {axis, axis, axis};
  }

  private static float[] concat(float[] a, float[] b) {
    float[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
