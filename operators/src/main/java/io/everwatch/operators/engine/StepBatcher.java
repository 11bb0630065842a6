// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.Draw;
import io.everwatch.operators.model.VisionClip;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * One device step for many streams: vision tower over all new clips, prefill of all new rounds, one
 * token for all that speak. Which streams take a step together is decided elsewhere and changes no
 * bit: rows of a prompt always go through the prefill, generated tokens always through the decode.
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

  /** New rounds up to their first token. */
  void prefill(List<Turn> turns) {
    watchdog.begin();
    network.begin();
    long start = System.nanoTime();
    List<VisionClip> clips = new ArrayList<>(turns.size());
    for (Turn turn : turns) {
      clips.add(turn.plan().clip());
    }
    network.vision(clips);
    long seen = System.nanoTime();
    long nowMillis = System.currentTimeMillis();
    List<Network.Prompt> prompts = new ArrayList<>(turns.size());
    for (Turn turn : turns) {
      RoundPlan plan = turn.plan();
      prompts.add(
          new Network.Prompt(
              turn.begin(network, nowMillis), plan.prompt(), plan.padsFrom(), plan.pads()));
    }
    long loaded = System.nanoTime();
    network.prefill(prompts, draws(turns));
    long done = System.nanoTime();
    nowMillis = System.currentTimeMillis();
    for (Turn turn : turns) {
      turn.prefilled(nowMillis);
    }
    long sampled = choose(turns);
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
    trace.saw(network);
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
