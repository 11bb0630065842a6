// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.operators.model.Patches;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * One device step for many streams: vision tower over all new clips, prefill of all new rounds, one
 * token for all that speak. Which streams take a step together is decided elsewhere and changes no
 * bit: rows of a prompt always go through the prefill, generated tokens always through the decode.
 */
final class StepBatcher {
  /** Chooses a stream's next token. */
  interface Chooser {
    /**
     * An id of the vocabulary.
     *
     * @param logits one row, may be overwritten
     */
    int next(Turn turn, float[] logits);
  }

  private final Network network;
  private final Chooser chooser;
  private final BitSet stops;
  private final StageClock clock;
  private final Watchdog watchdog;
  private final float[] row;

  /**
   * @param stops ids that end a turn
   * @param watchdog told of each prefill and each decode
   */
  StepBatcher(Network network, Chooser chooser, BitSet stops, StageClock clock, Watchdog watchdog) {
    this.network = network;
    this.chooser = chooser;
    this.stops = stops;
    this.clock = clock;
    this.watchdog = watchdog;
    this.row = new float[network.vocabulary()];
  }

  /**
   * The rules of each stream's settings.
   *
   * @param unused ids below the vocabulary that belong to no token
   */
  static Chooser sampling(int[] unused) {
    return (turn, logits) -> {
      Session session = turn.session();
      long round = turn.plan().round();
      int token =
          Sampler.next(
              logits, unused, session.rules(), turn.seen(), session.seed(), round, turn.said());
      if (token < 0) {
        throw new DeviceException(
            Failure.REFUSED,
            "stream %s, round %d, token %d: a logit is not finite; expected finite numbers; check the model's weights"
                .formatted(session.streamId(), round, turn.said()));
      }
      return token;
    };
  }

  /** New rounds up to their first token. */
  void prefill(List<Turn> turns) {
    watchdog.begin();
    network.begin();
    long start = System.nanoTime();
    List<Patches> clips = new ArrayList<>(turns.size());
    for (Turn turn : turns) {
      clips.add(turn.plan().patches());
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
    network.prefill(prompts);
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
    network.decode(contexts, ids);
    long done = System.nanoTime();
    long sampled = choose(turns);
    clock.decode += done - start;
    for (Turn turn : turns) {
      turn.clock().decode += done - start;
      turn.clock().sample += sampled;
    }
  }

  private long choose(List<Turn> turns) {
    long start = System.nanoTime();
    long nowMillis = System.currentTimeMillis();
    for (int i = 0; i < turns.size(); i++) {
      network.logits(i, row);
      int prescribed = turns.get(i).prescribed();
      int token = prescribed < 0 ? chooser.next(turns.get(i), row) : prescribed;
      turns.get(i).say(token, stops.get(token), nowMillis);
    }
    long nanos = System.nanoTime() - start;
    clock.sample += nanos;
    return nanos;
  }
}
