// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Batches;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.Vocabulary;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Batches, repetition and the choice of tokens: what a pass is made of beside the numbers. */
class CpuPassTest {
  private static final KvShape SHAPE = new KvShape(1, 2, 1, 8, new int[] {1, 1, 2}, 10_000);
  private static final SamplingRules GREEDY = new SamplingRules(1, 0, 0, 1);
  private static final SamplingRules PENALISED = new SamplingRules(2, 0, 0, 1);
  private static final int WIDTH = 5;

  private Backend backend;
  private RowPool pool;
  private Context context;
  private Arena arena;

  @BeforeEach
  void open() {
    backend = Backends.open("cpu", new BackendOptions(1, true));
    pool = backend.rowPool(SHAPE, 16);
    context = backend.context(pool);
    arena = backend.arena();
    context.extend(new int[] {0, 1, 2, 3}, new float[3][4]);
  }

  @AfterEach
  void close() {
    backend.close();
  }

  private static Draw draw(SamplingRules rules) {
    return new Draw(rules, 1, 2, 3);
  }

  private Vocabulary vocabulary(int... drawable) {
    BitSet ids = new BitSet();
    for (int id : drawable) {
      ids.set(id);
    }
    return backend.vocabulary(WIDTH, ids);
  }

  private DeviceBuffer logits(float... values) {
    DeviceBuffer buffer = arena.allocateF32(values.length / WIDTH, WIDTH);
    backend.upload(values, 0, values.length, buffer);
    return buffer;
  }

  @Test
  void aPrefillKnowsWhetherItsOutputsAreAllRowsInOrder() {
    List<Span> spans = List.of(new Span(context, 0, 4));
    int[] ids = new int[4];
    assertThat(backend.prefillBatch(spans, ids, new int[] {0, 1, 2, 3}, List.of()).everyRow())
        .isTrue();
    assertThat(backend.prefillBatch(spans, ids, new int[] {0, 2, 1, 3}, List.of()).everyRow())
        .isFalse();
    assertThat(backend.prefillBatch(spans, ids, new int[] {0, 1}, List.of()).everyRow()).isFalse();
    Batch decode = backend.decodeBatch(List.of(context), new int[] {1}, List.of());
    assertThat(decode.everyRow()).isTrue();
    assertThat(decode.rows()).isEqualTo(1);
  }

  @Test
  void refusesABatchWhoseIdsRowsOrDrawsDoNotAgree() {
    List<Span> spans = List.of(new Span(context, 0, 2));
    assertThatThrownBy(() -> backend.prefillBatch(spans, new int[3], new int[0], List.of()))
        .hasMessageContaining("3 ids, but 1 spans of 2 rows");
    List<Draw> two = List.of(draw(GREEDY), draw(GREEDY));
    assertThatThrownBy(() -> backend.prefillBatch(spans, new int[2], new int[] {1}, two))
        .hasMessageContaining("2 draws for 1 rows");
    assertThatThrownBy(() -> backend.decodeBatch(List.of(context), new int[2], List.of()))
        .hasMessageContaining("2 ids for 1 contexts");
  }

  @Test
  void refusesAContextThatStandsTwiceInABatch() {
    List<Span> twice = List.of(new Span(context, 0, 1), new Span(context, 1, 1));
    assertThatThrownBy(() -> backend.prefillBatch(twice, new int[2], new int[0], List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("streams 0 and 1 of the batch have the same context");
    List<Draw> draws = List.of(draw(PENALISED), draw(PENALISED));
    List<Context> both = List.of(context, context);
    assertThatThrownBy(() -> backend.decodeBatch(both, new int[] {0, 1}, draws))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("streams 0 and 1 of the batch have the same context");

    Batch sound = backend.decodeBatch(List.of(context), new int[] {2}, List.of(draw(PENALISED)));
    assertThat(backend.sample(logits(9, 8, 7, 0, 0), vocabulary(0, 1), sound))
        .as("no id of a refused batch counts as said")
        .containsExactly(0);
  }

  @Test
  void aBatchKeepsWhatItWasMadeOf() {
    int[] ids = {1};
    Batch batch = backend.decodeBatch(List.of(context), ids, List.of(draw(PENALISED)));
    ids[0] = 4;
    DeviceBuffer out = arena.allocateF32(1, 1);
    backend.embed(
        backend.table(
            io.everwatch.kernels.Samples.tensor("e", new float[] {10, 11, 12, 13, 14}, 5, 1)),
        batch,
        out);
    assertThat(CpuOperationsTest.download(backend, out, 1)).containsExactly(11);
  }

  @Test
  void theIdsThatADecodeFeedsArePenalisedWithThoseGivenAtFirst() {
    context.seen(new int[] {0});
    Vocabulary all = vocabulary(0, 1, 2, 3, 4);
    Batch prompt =
        backend.prefillBatch(
            List.of(new Span(context, 0, 4)),
            new int[] {2, 2, 2, 2},
            new int[] {3},
            List.of(draw(PENALISED)));
    assertThat(backend.sample(logits(9, 8, 7, 0, 0), all, prompt)).containsExactly(1);

    context.extend(new int[] {4}, new float[3][1]);
    Batch next = backend.decodeBatch(List.of(context), new int[] {1}, List.of(draw(PENALISED)));
    assertThat(backend.sample(logits(9, 8, 7, 0, 0), all, next)).containsExactly(2);

    context.seen(new int[0]);
    context.extend(new int[] {5}, new float[3][1]);
    Batch anew = backend.decodeBatch(List.of(context), new int[] {1}, List.of(draw(PENALISED)));
    assertThat(backend.sample(logits(9, 8, 7, 0, 0), all, anew)).containsExactly(0);
  }

  @Test
  void everyOutputIsChosenByItsOwnRulesFromItsOwnStream() {
    Context other = backend.context(pool);
    other.extend(new int[] {8, 9}, new float[3][2]);
    other.seen(new int[] {1});
    Batch batch =
        backend.prefillBatch(
            List.of(new Span(context, 0, 4), new Span(other, 4, 2)),
            new int[6],
            new int[] {3, 5, 4, 0},
            List.of(draw(PENALISED), draw(PENALISED), draw(GREEDY), draw(GREEDY)));
    DeviceBuffer logits =
        logits(0, 9, 8, 0, 0, /* 2nd */ 0, 9, 8, 0, 0, /* 3rd */ 0, 9, 8, 0, 0, 5, 0, 0, 0, 0);
    assertThat(backend.sample(logits, vocabulary(0, 1, 2), batch)).containsExactly(1, 2, 1, 0);
  }

  @Test
  void onlyDrawableIdsAreLookedAt() {
    Batch one = backend.decodeBatch(List.of(context), new int[] {0}, List.of(draw(GREEDY)));
    float nan = Float.NaN;
    assertThat(backend.sample(logits(1, nan, 2, 9, nan), vocabulary(0, 2), one)).containsExactly(2);
    assertThat(backend.sample(logits(1, nan, 2, 9, nan), vocabulary(0, 1, 2), one))
        .containsExactly(-1);
    assertThatThrownBy(() -> vocabulary()).hasMessageContaining("0 ids may be drawn");
    assertThatThrownBy(() -> vocabulary(1, 5)).hasMessageContaining("the last is 5");
  }

  @Test
  void refusesToSampleWithoutDraws() {
    Batch batch = Batches.of(backend, context, 1);
    assertThat(backend.sample(logits(), vocabulary(0), batch)).isEmpty();
    Batch decode = backend.decodeBatch(List.of(context), new int[] {0}, List.of());
    assertThatThrownBy(() -> backend.sample(logits(1, 2, 3, 4, 5), vocabulary(0), decode))
        .hasMessageContaining("1 outputs has 0 draws");
  }

  @Test
  void replayedBuffersBelongToTheLastCall() {
    Batch batch = backend.decodeBatch(List.of(context), new int[] {0}, List.of());
    DeviceBuffer first = backend.replay(this, batch, in -> in.allocate(1, 1));
    backend.gelu(first, 1);
    DeviceBuffer second = backend.replay(this, batch, in -> in.allocate(1, 1));
    assertThatThrownBy(() -> backend.gelu(first, 1)).hasMessageContaining("reset");
    backend.gelu(second, 1);
  }

  @Test
  void refusesATypeOrADeviceThatItDoesNotHave() {
    assertThat(backend.dtype()).isEqualTo(DType.F32);
    BackendOptions one = new BackendOptions(1, true);
    assertThatThrownBy(() -> Backends.open("cpu", one.withDtype(DType.BF16)))
        .hasMessageContainingAll("BF16", "F32 on device 0 only");
    assertThatThrownBy(() -> new CpuBackendProvider().open(one.withDevice(1)))
        .hasMessageContaining("device 1");
    assertThatThrownBy(() -> one.withDevice(-1)).hasMessageContaining("-1");
    Backends.open("cpu", one.withDtype(DType.F32)).close();
  }
}
