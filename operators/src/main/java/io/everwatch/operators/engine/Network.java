// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceCounters;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.SparseCounters;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of one model on one device, as a step needs them. Belongs to one thread. What a
 * stream gets depends on its own arguments alone, whoever else is in the call.
 */
interface Network extends AutoCloseable {
  /** Cached rows of all streams. */
  RowPool rows();

  /** An empty context over {@link #rows}. */
  Context context();

  /** Width of a row of logits. */
  int vocabulary();

  /** Begins a step: what the step before left on the device is gone. */
  void begin();

  /** The vision tower over new frames, for the {@link #prefill} of the same step. */
  void vision(List<VisionRows> rows);

  /**
   * The decoder over prompts of rounds, or pieces of them, which their contexts end in.
   *
   * @param prompts with all parts of the call of {@link #vision}, in its order
   * @param draws how the token after each prompt that ends here is chosen
   */
  void prefill(List<Prompt> prompts, List<Draw> draws);

  /**
   * The decoder over one token of each stream, the last row of its context.
   *
   * @param draws how the token after each is chosen
   */
  void decode(List<Context> contexts, int[] ids, List<Draw> draws);

  /**
   * The token after each part of the last prefill or decode that has a draw; -1 where a logit is
   * not finite. Waits for the device, also when there is none.
   */
  int[] sample();

  /**
   * Logits behind draw {@code index} of the last prefill or decode, before {@link #sample}; for
   * comparison with a reference, no step needs them.
   *
   * @param to the first {@link #vocabulary} or fewer
   */
  void logits(int index, float[] to);

  /** What its device was asked to do since it was opened. */
  default DeviceCounters counters() {
    return DeviceCounters.NONE;
  }

  /** What sparse attention did since its device was opened. */
  default SparseCounters sparseCounters() {
    return SparseCounters.NONE;
  }

  /** Frees rows and step memory, and gives back what it was lent. */
  @Override
  void close();

  /** As {@link #close}, after a failure: nobody is to go on with what lies on the device. */
  default void abandon() {
    close();
  }

  /**
   * The prompt of one round, or a piece of it.
   *
   * @param ids token ids of the rows to compute
   * @param pads where vision rows take the places of pads, clip after clip
   * @param ends whether the prompt ends here, and a token is drawn
   * @param selector how the key blocks of its attention are chosen; null: dense
   */
  record Prompt(
      Context context, int[] ids, List<Pads> pads, boolean ends, @Nullable BlockSelector selector) {
    public Prompt {
      pads = List.copyOf(pads);
    }

    /** Vision rows of all clips. */
    int padRows() {
      return pads.stream().mapToInt(Pads::count).sum();
    }
  }

  /**
   * The pads of one clip, or of a part of it.
   *
   * @param from index in the ids of the prompt
   */
  record Pads(int from, int count) {}
}
