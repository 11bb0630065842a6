// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DeviceCounters;
import io.everwatch.kernels.SparseCounters;

/**
 * What an engine has done since it was opened; the difference of two of these is a rate.
 *
 * @param rounds rounds that made a turn, spoken or silent
 * @param failedRounds rounds that failed
 * @param badFrames frames that could not be decoded
 * @param steps device steps that carried a prefill or decoded a token
 * @param prompts rows prefilled
 * @param sparsePrompts rows of these whose attention was sparse
 * @param visionTokens vision tokens computed
 * @param tokens ids generated
 * @param stages time by stage; {@code frames} is summed over workers
 * @param sessions sessions now
 * @param waiting rounds that wait for frames, rows or a place in a step now
 * @param rowsUsed cached rows held now
 * @param rowsLimit cached rows that fit
 * @param device what the device was asked to do; all engines of a device count together
 * @param sparse what sparse prefill attention did; likewise
 */
public record EngineMetrics(
    long rounds,
    long failedRounds,
    long badFrames,
    long steps,
    long prompts,
    long sparsePrompts,
    long visionTokens,
    long tokens,
    Stages stages,
    int sessions,
    int waiting,
    int rowsUsed,
    int rowsLimit,
    DeviceCounters device,
    SparseCounters sparse) {

  /**
   * Nanoseconds spent. Of a round: the stages of the steps it took part in, whoever shared them.
   *
   * @param frames decoding, resizing, patches (worker threads)
   * @param vision vision tower
   * @param load compaction, positions, the rotated working copy of the context
   * @param prefill decoder over the prompt rows
   * @param decode decoder, one token at a time
   * @param sample sampling
   */
  public record Stages(
      long frames, long vision, long load, long prefill, long decode, long sample) {
    public static final Stages NONE = new Stages(0, 0, 0, 0, 0, 0);

    public long total() {
      return frames + vision + load + prefill + decode + sample;
    }
  }
}
