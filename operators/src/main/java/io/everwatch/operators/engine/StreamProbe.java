// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowValues;
import io.everwatch.operators.cache.ContiguousPositions;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.cache.StreamingVlmPolicy;
import io.everwatch.operators.engine.Session.State;
import io.everwatch.operators.engine.TurnEnding.CutTurn;
import io.everwatch.operators.model.ChatGrammar;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.FrameDecoder;
import io.everwatch.operators.model.FrameLimits;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stream, round by round in the caller's thread, with everything visible and answers that can
 * be prescribed: for comparison with golden traces. Runs the very classes of the engine.
 */
public final class StreamProbe implements AutoCloseable {
  private static final int ROWS = 1 << 14;
  private static final int BATCH_ROWS = 512;

  private final ModelNetwork network;
  private final Clip.Maker clips;
  private final RoundPlanner planner;
  private final StepBatcher batcher;
  private final TurnEnding ending;
  private final RowSlots slots;
  private final Session session;
  private final List<float[]> logits = new ArrayList<>();

  /**
   * What a round came to.
   *
   * @param kept the memory after compaction
   * @param proposed the memory with the round's prompt behind it
   * @param positions {@code [3][rows of proposed]}
   * @param logits of each decoding step, [V], before any rule
   * @param after the memory with the answer behind it
   */
  public record Round(
      StreamMemory kept,
      StreamMemory proposed,
      float[][] positions,
      int[] output,
      List<float[]> logits,
      StreamMemory after) {}

  /**
   * A stream of which nothing is remembered. Turns that were cut are closed as published.
   *
   * @param backend stays the caller's
   * @param policy possibly with the published defects
   * @param context content of {@code previous text} at the start
   */
  public StreamProbe(
      Model model,
      Backend backend,
      StreamSettings settings,
      StreamingVlmPolicy policy,
      String context) {
    ChatGrammar grammar = model.grammar();
    BitSet every = new BitSet();
    every.set(0, model.decoder().vocabSize());
    KvShape shape = model.decoder().kvShape();
    long rowBytes = shape.rowElements() * backend.dtype().sizeBytes();
    network =
        new ModelNetwork(
            backend,
            model.tower(),
            model.decoder(),
            every,
            new NetworkLimits(
                ROWS * 2 * rowBytes, 1, BATCH_ROWS, null), // twice: for working copies
            intact -> {});
    clips =
        new Clip.Maker(
            new FrameDecoder(FrameLimits.defaults()),
            model.processor(),
            backend.patchMaker().isPresent());
    planner =
        EngineAssembly.planner(
            model,
            new GrammarPrompts(grammar) {
              @Override
              int[] context(StreamSettings s) {
                return grammar.outside(context);
              }
            },
            new ContiguousPositions(),
            /* profile= */ null);
    ending =
        new TurnEnding(
            grammar.turnTokens(),
            grammar.endOfTurn(),
            EngineAssembly.words(model),
            CutTurn.END_ONLY);
    batcher =
        new StepBatcher(
            network, this::saw, EngineAssembly.stops(grammar), new StageClock(), Watchdog.off());
    slots = new RowSlots(network.rows().slots());
    session =
        new Session(this, "probe", settings, policy, new State(Committed.NONE, SessionRows.NONE));
  }

  /**
   * One round.
   *
   * @param forced ids to say whatever the logits are; null = by the rules of the settings
   */
  public Round round(long chunk, List<EncodedFrame> frames, int @Nullable [] forced) {
    logits.clear();
    session.forgetPrevious(slots);
    Committed before = session.committed();
    RoundPlan plan =
        planner.plan(
            before,
            session.settings(),
            session.policy(),
            new RoundInput(chunk, frames, false),
            clips.make(frames, session.settings()).vision().orElseThrow());
    Turn turn =
        new Turn(
            session,
            plan,
            before.slotsOf(plan.kept(), session.rows().slots()),
            slots.take(plan.newRows()));
    if (forced != null) {
      turn.prescribe(forced);
    }
    while (!turn.prefilled()) {
      batcher.prefill(List.of(turn));
    }
    while (!turn.finished() && (forced == null || turn.said() < forced.length)) {
      batcher.decode(List.of(turn));
    }
    int[] output = turn.commit(ending, slots);
    int rows = plan.proposed().rows();
    return new Round(
        plan.kept(),
        plan.proposed(),
        plan.positions(0, rows),
        output,
        List.copyOf(logits),
        session.memory());
  }

  private void saw(Network step) {
    float[] row = new float[step.vocabulary()];
    step.logits(0, row);
    logits.add(row);
  }

  /** Positions of any memory. */
  public static float[][] positions(StreamMemory memory) {
    return new ContiguousPositions().positions(memory);
  }

  /** Unrotated K and V of all layers of the cached rows: {@code [rows][layers][2][K * D]}. */
  public float[][] rows() {
    DType type = network.rows().dtype();
    return Arrays.stream(session.rows().copy(network.rows()).host())
        .map(row -> RowValues.values(row, type))
        .toArray(float[][]::new);
  }

  /** Gives back what the probe holds; the back end stays open. */
  @Override
  public void close() {
    network.close();
  }
}
