// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Span;
import io.everwatch.operators.model.Decoder;
import io.everwatch.operators.model.Patches;
import io.everwatch.operators.model.VisionTower;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Qwen2.5-VL on a back end: tower and decoder over the rows of a step. */
final class ModelNetwork implements Network {
  private final Backend backend;
  private final VisionTower tower;
  private final Decoder decoder;
  private final int vocabulary;
  private final Arena arena;
  private final End end;
  private final RowPool rows;
  private @Nullable DeviceBuffer vision; // [vision tokens of all clips, C]
  private @Nullable DeviceBuffer logits; // [streams, V]

  /** Takes back end and weights back, once. */
  interface End {
    /**
     * The network has given up all that it had on the back end.
     *
     * @param intact whether another network may be put on it
     */
    void ended(boolean intact);
  }

  /**
   * @param vocabulary ids that may be drawn, at most V
   * @param kvBytes memory for cached rows
   * @param end hears of the end; not when this throws
   */
  ModelNetwork(
      Backend backend, VisionTower tower, Decoder decoder, int vocabulary, long kvBytes, End end) {
    this.backend = backend;
    this.end = end;
    this.tower = tower;
    this.decoder = decoder;
    this.vocabulary = vocabulary;
    long rowBytes = Math.multiplyExact(decoder.kvShape().rowElements(), Float.BYTES);
    long slots = kvBytes / rowBytes;
    if (slots < 1) {
      throw new IllegalArgumentException(
          "kvBytes is %d; expected at least the %d bytes of one cached row; give the engine more memory for rows"
              .formatted(kvBytes, rowBytes));
    }
    this.rows = backend.rowPool(decoder.kvShape(), (int) Math.min(slots, Integer.MAX_VALUE - 8));
    this.arena = backend.arena();
  }

  @Override
  public RowPool rows() {
    return rows;
  }

  @Override
  public Context context() {
    return backend.context(rows);
  }

  @Override
  public int vocabulary() {
    return vocabulary;
  }

  @Override
  public void begin() {
    vision = null;
    logits = null;
    arena.reset();
  }

  @Override
  public void vision(List<Patches> clips) {
    vision = tower.encode(clips, arena);
  }

  @Override
  public void prefill(List<Prompt> prompts) {
    int tokens = 0;
    int padCount = 0;
    for (Prompt prompt : prompts) {
      tokens += prompt.ids().length;
      padCount += prompt.pads();
    }
    int[] ids = new int[tokens];
    int[] pads = new int[padCount]; // the clips lie in the order of the prompts
    int[] last = new int[prompts.size()];
    List<Span> spans = new ArrayList<>(prompts.size());
    int row = 0;
    int pad = 0;
    for (int i = 0; i < last.length; i++) {
      Prompt prompt = prompts.get(i);
      int count = prompt.ids().length;
      System.arraycopy(prompt.ids(), 0, ids, row, count);
      for (int n = 0; n < prompt.pads(); n++) {
        pads[pad++] = row + prompt.padsFrom() + n;
      }
      spans.add(new Span(prompt.context(), row, count));
      row += count;
      last[i] = row - 1;
    }
    DeviceBuffer x = decoder.embed(ids, arena); // [T, C]
    decoder.placeVision(require(vision, "vision"), pads, x);
    DeviceBuffer ends = decoder.forward(x, tokens, spans, last, arena); // [streams, C]
    logits = decoder.logits(ends, last.length, arena);
  }

  @Override
  public void decode(List<Context> contexts, int[] ids) {
    int[] last = new int[ids.length];
    List<Span> spans = new ArrayList<>(ids.length);
    for (int i = 0; i < ids.length; i++) {
      last[i] = i;
      spans.add(new Span(contexts.get(i), i, 1));
    }
    DeviceBuffer x = decoder.embed(ids, arena);
    DeviceBuffer ends = decoder.forward(x, ids.length, spans, last, arena);
    logits = decoder.logits(ends, last.length, arena);
  }

  @Override
  public void logits(int index, float[] to) {
    long from = (long) index * decoder.vocabSize();
    backend.download(require(logits, "prefill or decode"), from, to, 0, vocabulary);
  }

  private static DeviceBuffer require(@Nullable DeviceBuffer buffer, String before) {
    if (buffer == null) {
      throw new IllegalStateException("expected " + before + " earlier in this step");
    }
    return buffer;
  }

  @Override
  public void close() {
    release(true);
  }

  @Override
  public void abandon() {
    release(false);
  }

  private void release(boolean intact) {
    boolean released = false;
    try (rows;
        arena) {
      vision = null;
      logits = null;
      released = true;
    } finally {
      end.ended(intact && released);
    }
  }
}
