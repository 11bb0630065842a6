// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.Draw;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * One device step for many streams: vision tower over new frames, prefill of new rounds or of a
 * piece of a long one, one token for all that speak. Which streams take a step together is decided
 * elsewhere and changes no bit: rows of a prompt always go through the prefill, generated tokens
 * always through the decode.
 */
final class StepBatcher {
  /** Sees the logits of a step before its tokens are chosen; for comparison with a reference. */
  @FunctionalInterface
  interface LogitsTrace {
    LogitsTrace NONE = network -> {};

    void saw(Network network);
  }

  private final Network network;
  private final LogitsTrace trace;
  private final BitSet stops;
  private final StageClock clock;
  private final Watchdog watchdog;

  /**
   * @param stops ids that end a turn
   * @param watchdog told of each prefill and each decode
   */
  StepBatcher(
      Network network, LogitsTrace trace, BitSet stops, StageClock clock, Watchdog watchdog) {
    this.network = network;
    this.trace = trace;
    this.stops = stops;
    this.clock = clock;
    this.watchdog = watchdog;
  }

  /** The next piece of each prompt; those that end get their first token. */
  void prefill(List<Turn> turns) {
    watchdog.begin();
    network.begin();
    long start = System.nanoTime();
    network.vision(
        turns.stream().flatMap(turn -> turn.plan().visionOf(turn.piece()).stream()).toList());
    long seen = System.nanoTime();
    long nowMillis = System.currentTimeMillis();
    List<Network.Prompt> prompts = new ArrayList<>(turns.size());
    List<Turn> ending = new ArrayList<>(turns.size());
    for (Turn turn : turns) {
      prompts.add(turn.begin(network, nowMillis));
      if (turn.atLastPiece()) {
        ending.add(turn);
      }
    }
    long loaded = System.nanoTime();
    network.prefill(prompts, draws(ending));
    long done = System.nanoTime();
    nowMillis = System.currentTimeMillis();
    for (Turn turn : turns) {
      turn.pieceDone(nowMillis);
    }
    long sampled = choose(ending);
    clock.vision += seen - start;
    clock.load += loaded - seen;
    clock.prefill += done - loaded;
    for (Turn turn : turns) {
      StageClock own = turn.clock();
      own.vision += seen - start;
      own.load += loaded - seen;
      own.prefill += done - loaded;
      own.sample += sampled;
    }
  }

  /** One more token for each. */
  void decode(List<Turn> turns) {
    watchdog.begin();
    network.begin();
    long start = System.nanoTime();
    List<Context> contexts = new ArrayList<>(turns.size());
    int[] ids = new int[turns.size()];
    for (int i = 0; i < ids.length; i++) {
      contexts.add(turns.get(i).extend());
      ids[i] = turns.get(i).lastToken();
    }
    network.decode(contexts, ids, draws(turns));
    long done = System.nanoTime();
    long sampled = choose(turns);
    clock.decode += done - start;
    for (Turn turn : turns) {
      turn.clock().decode += done - start;
      turn.clock().sample += sampled;
    }
  }

  private static List<Draw> draws(List<Turn> turns) {
    List<Draw> draws = new ArrayList<>(turns.size());
    for (Turn turn : turns) {
      draws.add(turn.draw());
    }
    return draws;
  }

  private long choose(List<Turn> turns) {
    long start = System.nanoTime();
    if (!turns.isEmpty()) {
      trace.saw(network);
    }
    int[] tokens = network.sample();
    long nowMillis = System.currentTimeMillis();
    for (int i = 0; i < tokens.length; i++) {
      Turn turn = turns.get(i);
      int prescribed = turn.prescribed();
      int token = prescribed < 0 ? tokens[i] : prescribed;
      if (token < 0) {
        throw new DeviceException(
            Failure.REFUSED,
            "stream %s, round %d, token %d: a logit is not finite; expected finite numbers; check the model's weights"
                .formatted(turn.session().streamId(), turn.plan().round(), turn.said()));
      }
      turn.say(token, stops.get(token), nowMillis);
    }
    long nanos = System.nanoTime() - start;
    clock.sample += nanos;
    return nanos;
  }
}
