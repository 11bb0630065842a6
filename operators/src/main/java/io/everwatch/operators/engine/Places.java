// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.util.Collection;

/**
 * How many rounds had better be under way, and whose: as many as share a step, and one more for
 * each thread that prepares the rounds after. Further ones would only wait, and what they are to
 * understand would be chosen too early.
 */
final class Places {
  private final int count;

  Places(EngineOptions options) {
    count = options.roundsPerStep() + options.workers();
  }

  /**
   * As {@link Seat#hasPlace} says: each seat has its part, by the number of its sessions, and takes
   * what others leave.
   *
   * @param all seats of the engine
   */
  boolean isFreeFor(EngineSeat seat, Collection<EngineSeat> all) {
    int rounds = 0;
    int sessions = 0;
    for (EngineSeat each : all) {
      rounds += each.underWay();
      sessions += each.sessions();
    }
    long part = Math.round((double) count * seat.sessions() / Math.max(1, sessions));
    return rounds < count || seat.underWay() < Math.max(1, part);
  }
}
