// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.StreamSettings;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * One user's place at the engine. Sessions belong to the seat that made them. Methods return at
 * once; a session takes one round at a time.
 */
public interface Seat extends AutoCloseable {
  /** A stream of which nothing is remembered. */
  StreamSession create(String streamId, StreamSettings settings);

  /**
   * Goes on where the snapshot was taken; its rows come to the device with the next round.
   *
   * @throws CorruptSnapshotException when it was made by another model or does not fit the settings
   */
  StreamSession restore(SessionSnapshot snapshot);

  /**
   * What is left of a memory whose rows cannot be used, for {@link #restore}: damaged, or made by
   * another model. Depends on the arguments and the model only.
   *
   * @param pieces of its snapshot; an empty one stands for one that is missing
   * @param settings for a stream that cannot keep its own: they are lost, or another model's
   * @param rounds that it had made, for when not even the header is left
   */
  RebuiltMemory rebuild(String streamId, List<byte[]> pieces, StreamSettings settings, long rounds);

  /**
   * Changes the frame rate and how tokens are chosen from the next round on; the memory stays.
   *
   * @param settings differ from the session's in {@code fps}, {@code maxNewTokens}, {@code
   *     temperature}, {@code repetitionPenalty}, {@code topK}, {@code topP} and {@code seed} only
   * @throws IllegalStateException when a round of this session is running or the session was
   *     released
   * @throws IllegalArgumentException when they differ in anything else, on which the memory depends
   */
  void resample(StreamSession session, StreamSettings settings);

  /**
   * Whether one more round would take part in the next steps; else it would wait behind others, and
   * its caller does better to decide later what to submit. There is a place while fewer rounds of
   * all seats are under way than share a step, or fewer of this one than its part of them, by the
   * number of its sessions; so there is one when it has none.
   *
   * @param underWay rounds of this seat whose results the caller has not taken yet; they count when
   *     other seats ask, until this one asks again
   */
  boolean hasPlace(int underWay);

  /**
   * Starts a round; the listener hears its result. Its prompt may be long: it is computed in
   * pieces, each in a step of its own, between the tokens of other streams ({@code prefill_piece}
   * of the settings), sparse where settings and tuning profile say so. Its rows are taken at once
   * and all its pictures are kept until the last piece, so both must fit ({@link
   * EngineOptions#kvBytes}, {@link EngineOptions#pictureBytes}). Rounds of earlier chunks are made
   * with it, in the same prefill, and the one result is that of the last: when it failed, none of
   * them was made.
   *
   * @throws IllegalStateException when a round of this session is running or the session was
   *     released
   */
  void submit(StreamSession session, RoundInput input);

  /**
   * Copies the committed memory of a session, beside running rounds: the state after the last round
   * whose result was delivered to the listener before this call.
   */
  CompletableFuture<SessionSnapshot> snapshot(StreamSession session);

  /**
   * The same for the state after {@code rounds} rounds, which is the committed one or the one
   * before it: until the next round is submitted both are kept, so that a caller who has not yet
   * applied a result can still save the state that goes with what it has applied.
   *
   * @throws IllegalArgumentException when neither state has that many rounds
   */
  CompletableFuture<SessionSnapshot> snapshot(StreamSession session, long rounds);

  /** Forgets a session and frees its rows; a running round's result is dropped. */
  void release(StreamSession session);

  /**
   * Drops queued rounds of this seat, waits for the step that contains one (bounded), releases its
   * sessions. No listener call after it returned. Idempotent.
   */
  @Override
  void close();
}
