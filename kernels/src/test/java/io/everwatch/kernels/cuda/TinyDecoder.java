// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.Table;
import io.everwatch.kernels.Vector;
import io.everwatch.kernels.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Two decoder layers of seeded weights on a back end, and streams that speak by them. */
final class TinyDecoder implements AutoCloseable {
  static final int VOCABULARY = 200;
  private static final int WIDTH = 64;
  private static final int LAYERS = 2;
  private static final KvShape SHAPE = new KvShape(LAYERS, 2, 1, 32, new int[] {4, 6, 6}, 10_000);
  private static final int QKV = 4 * 32;
  private static final int SLOTS = 8192;

  private final Backend backend;
  private final Table embedding;
  private final Vector gain;
  private final Matrix[] qkv = new Matrix[LAYERS];
  private final Matrix[] out = new Matrix[LAYERS];
  private final Matrix head;
  private final Vocabulary vocabulary;
  private final Arena arena;
  RowPool pool;
  private int slots;

  /** Times that the body of a decode pass ran. */
  int bodies;

  TinyDecoder(Backend backend) {
    this.backend = backend;
    embedding =
        backend.table(Samples.tensor("embed", scaled(1, VOCABULARY * WIDTH, 1), VOCABULARY, WIDTH));
    gain = backend.vector("gain", List.of(Samples.tensor("gain", scaled(2, WIDTH, 1), WIDTH)));
    for (int i = 0; i < LAYERS; i++) {
      qkv[i] = matrix("qkv" + i, QKV, WIDTH);
      out[i] = matrix("out" + i, WIDTH, 2 * 32);
    }
    head = matrix("head", VOCABULARY, WIDTH);
    vocabulary = backend.vocabulary(VOCABULARY, SamplingStage.all(VOCABULARY));
    arena = backend.arena();
    pool = backend.rowPool(SHAPE, SLOTS);
  }

  private Matrix matrix(String name, int rows, int columns) {
    return backend.matrix(
        name,
        List.of(
            Samples.tensor(name, scaled(name.hashCode(), rows * columns, 0.2f), rows, columns)));
  }

  private static float[] scaled(long seed, int count, float scale) {
    float[] values = Samples.gaussian(seed, count);
    for (int i = 0; i < count; i++) {
      values[i] *= scale;
    }
    return values;
  }

  /** Another pool, as for the next job. */
  void replacePool() {
    pool.close();
    pool = backend.rowPool(SHAPE, SLOTS);
    slots = 0;
  }

  /** A stream in the middle of its answer. */
  final class Speaker implements AutoCloseable {
    private final int number;
    private final Context context = backend.context(pool);
    private final List<Integer> tokens = new ArrayList<>();
    private float[] logits = new float[0]; // of the last step

    Speaker(int number) {
      this.number = number;
      context.seen(new int[] {number});
    }

    private void extend(int count) {
      float[][] positions = new float[3][count];
      for (float[] axis : positions) {
        for (int i = 0; i < count; i++) {
          axis[i] = context.rows() + i;
        }
      }
      context.extend(IntStream.range(slots, slots + count).toArray(), positions);
      slots += count;
    }

    private Draw draw() {
      SamplingRules rules =
          number % 3 == 0
              ? new SamplingRules(1.2f, 0, 0, 1)
              : new SamplingRules(1.1f, 0.9f, number % 3 == 1 ? 20 : 0, 0.9f);
      return new Draw(rules, number, 5, tokens.size());
    }

    List<Integer> tokens() {
      return tokens;
    }

    float[] logits() {
      return logits;
    }

    @Override
    public void close() {
      context.close();
    }
  }

  /** A prompt of some rows, a function of the speaker's number. */
  void prefill(Speaker speaker) {
    arena.reset();
    int count = 3 + speaker.number * 7 % 90;
    speaker.extend(count);
    int[] ids =
        IntStream.range(0, count).map(i -> (speaker.number + i * 31) % VOCABULARY).toArray();
    Batch batch =
        backend.prefillBatch(
            List.of(new Span(speaker.context, 0, count)),
            ids,
            new int[] {count - 1},
            List.of(speaker.draw()));
    hear(List.of(speaker), pass(batch, arena), batch);
  }

  /** One more token for each. */
  void decode(List<Speaker> speakers) {
    speakers.forEach(speaker -> speaker.extend(1));
    decode(speakers, speakers.stream().mapToInt(s -> s.tokens.get(s.tokens.size() - 1)).toArray());
  }

  void decode(List<Speaker> speakers, int[] ids) {
    Batch batch =
        backend.decodeBatch(
            speakers.stream().map(s -> s.context).toList(),
            ids,
            speakers.stream().map(Speaker::draw).toList());
    DeviceBuffer logits =
        backend.replay(
            this,
            batch,
            in -> {
              bodies++;
              return pass(batch, in);
            });
    hear(speakers, logits, batch);
  }

  private DeviceBuffer pass(Batch batch, Arena in) {
    int rows = batch.rows();
    DeviceBuffer x = in.allocateF32(rows, WIDTH);
    backend.embed(embedding, batch, x);
    for (int i = 0; i < LAYERS; i++) {
      DeviceBuffer n = in.allocate(rows, WIDTH);
      backend.rmsNorm(x, gain, 1e-6f, rows, n);
      DeviceBuffer attended = in.allocate(rows, 2 * 32);
      DeviceBuffer projected = in.allocate(rows, QKV);
      backend.linear(n, qkv[i], null, rows, projected);
      backend.attend(i, projected, batch, attended);
      backend.linearAdd(attended, out[i], null, rows, x);
    }
    DeviceBuffer wanted = in.allocateF32(batch.outputs(), WIDTH);
    backend.outputs(x, batch, WIDTH, wanted);
    DeviceBuffer n = in.allocate(batch.outputs(), WIDTH);
    backend.rmsNorm(wanted, gain, 1e-6f, batch.outputs(), n);
    DeviceBuffer logits = in.allocateF32(batch.outputs(), VOCABULARY);
    backend.linear(n, head, null, batch.outputs(), logits);
    return logits;
  }

  /** Whether {@link Speaker#logits} are wanted: they cost copies. */
  boolean withLogits = true;

  private void hear(List<Speaker> speakers, DeviceBuffer logits, Batch batch) {
    if (withLogits) {
      float[] all = new float[speakers.size() * VOCABULARY];
      backend.download(logits, 0, all, 0, all.length);
      for (int i = 0; i < speakers.size(); i++) {
        speakers.get(i).logits = Arrays.copyOfRange(all, i * VOCABULARY, (i + 1) * VOCABULARY);
      }
    }
    int[] tokens = backend.sample(logits, vocabulary, batch);
    for (int i = 0; i < tokens.length; i++) {
      speakers.get(i).tokens.add(tokens[i]);
    }
  }

  @Override
  public void close() {
    try (vocabulary;
        arena) {
      pool.close();
    }
  }
}
