// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.BadFrameException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * What a round came to.
 *
 * @param round number of the round within the stream, or -1 when none was made (failed)
 * @param badFrames frames that could not be decoded; each place was filled by the previous good
 *     frame of the chunk, at the start by the next
 * @param promptRows rows prefilled, of all pieces
 * @param contextRows rows attended over at the end of the prefill
 * @param enteredRows rows that came into the memory, answers included and those that were never
 *     computed since they left at once; 0 when none was made
 */
public record RoundResult(
    StreamSession session,
    RoundInput input,
    long round,
    Outcome outcome,
    List<BadFrame> badFrames,
    int promptRows,
    int contextRows,
    int enteredRows,
    Timings timings) {
  public RoundResult {
    badFrames = List.copyOf(badFrames);
  }

  /**
   * What each of its chunks came to, the earlier ones first: as if each had been a round of its
   * own, but for rows and times, which are those of all; the rows are told of the last. Bad frames
   * are counted from the start of their chunk.
   *
   * @throws IllegalStateException when it failed and has earlier ones: then none made a round
   */
  public List<RoundResult> each() {
    if (input.earlier().isEmpty()) {
      return List.of(this);
    }
    if (outcome instanceof Failed) {
      throw new IllegalStateException(
          "no round was made of chunk %d and the %d before it"
              .formatted(input.chunk(), input.earlier().size()));
    }
    List<RoundInput> chunks = new ArrayList<>(input.earlier());
    chunks.add(input.after(List.of()));
    List<List<BadFrame>> bad = new ArrayList<>();
    int frames = 0;
    long number = round + 1;
    for (RoundInput chunk : chunks) {
      bad.add(badBetween(frames, frames + chunk.frames().size()));
      frames += chunk.frames().size();
      number -= isRound(chunk, bad.get(bad.size() - 1)) ? 1 : 0;
    }
    List<RoundResult> each = new ArrayList<>();
    boolean drop = false;
    for (int i = 0; i < chunks.size(); i++) {
      drop |= chunks.get(i).dropVision();
      RoundInput chunk = chunks.get(i).droppingVision(drop);
      boolean made = isRound(chunk, bad.get(i));
      boolean last = i == chunks.size() - 1;
      each.add(
          new RoundResult(
              session,
              chunk,
              made ? number++ : -1,
              last
                  ? outcome
                  : made ? given(chunk) : new Failed(Preparation.noFrames(chunk, bad.get(i))),
              bad.get(i),
              last ? promptRows : 0,
              last ? contextRows : 0,
              last ? enteredRows : 0,
              timings));
      drop &= !made;
    }
    return each;
  }

  private static boolean isRound(RoundInput chunk, List<BadFrame> bad) {
    return chunk.frames().isEmpty() || bad.size() < chunk.frames().size();
  }

  private List<BadFrame> badBetween(int from, int to) {
    return badFrames.stream()
        .filter(frame -> from <= frame.index() && frame.index() < to)
        .map(frame -> new BadFrame(frame.index() - from, frame.reason(), frame.detail()))
        .toList();
  }

  /** No id of a given answer was generated. */
  private static Outcome given(RoundInput chunk) {
    String said = Objects.requireNonNull(chunk.said());
    return said.isEmpty()
        ? new Silent(0, StopReason.END_OF_TURN)
        : new Spoke(said, 0, StopReason.END_OF_TURN);
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
