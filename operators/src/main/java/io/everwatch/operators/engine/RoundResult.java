// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.BadFrameException;
import java.util.List;
import java.util.function.Function;

/**
 * What a round came to.
 *
 * @param round number of the round within the stream, or -1 when none was made (failed)
 * @param badFrames frames that could not be decoded; each place was filled by the previous good
 *     frame of the chunk, at the start by the next
 * @param promptRows rows prefilled, of all pieces
 * @param contextRows rows attended over at the end of the prefill
 */
public record RoundResult(
    StreamSession session,
    RoundInput input,
    long round,
    Outcome outcome,
    List<BadFrame> badFrames,
    int promptRows,
    int contextRows,
    Timings timings) {
  public RoundResult {
    badFrames = List.copyOf(badFrames);
  }

  /**
   * A frame that could not be used.
   *
   * @param index in {@link RoundInput#frames()}; where there are earlier chunks, counted over all
   *     of them from the first
   */
  public record BadFrame(int index, BadFrameException.Reason reason, String detail) {}

  /**
   * Wall-clock milliseconds since the epoch, and where the time went; for headers and metrics,
   * never for values.
   *
   * @param startedMillis the round's first step began
   * @param prefilledMillis the last piece of its prompt was computed
   */
  public record Timings(
      long startedMillis,
      long prefilledMillis,
      long firstTokenMillis,
      long doneMillis,
      EngineMetrics.Stages stages) {}

  /** Why a turn ended. Persisted by name. */
  public enum StopReason {
    END_OF_TURN,
    MAX_NEW_TOKENS
  }

  /** What was said. */
  public sealed interface Outcome {
    <R> R match(Function<Spoke, R> spoke, Function<Silent, R> silent, Function<Failed, R> failed);
  }

  /**
   * Words.
   *
   * @param text without the pause token and the end of turn; may begin with a space, as generated
   * @param tokens generated ids, pause and end included
   */
  public record Spoke(String text, int tokens, StopReason stop) implements Outcome {
    @Override
    public <R> R match(
        Function<Spoke, R> spoke, Function<Silent, R> silent, Function<Failed, R> failed) {
      return spoke.apply(this);
    }
  }

  /** The pause token only. */
  public record Silent(int tokens, StopReason stop) implements Outcome {
    @Override
    public <R> R match(
        Function<Spoke, R> spoke, Function<Silent, R> silent, Function<Failed, R> failed) {
      return silent.apply(this);
    }
  }

  /** No round was made; the memory is as before. */
  public record Failed(String reason) implements Outcome {
    @Override
    public <R> R match(
        Function<Spoke, R> spoke, Function<Silent, R> silent, Function<Failed, R> failed) {
      return failed.apply(this);
    }
  }
}
