// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import org.jspecify.annotations.Nullable;

/** Where at most one mover is under way. */
final class Lane {
  /** 0 = behind, 1 = in front. */
  final int index;

  /** In units: of a road's lane the middle, of a floor the feet. */
  final int y;

  /** The first second in which somebody may come. */
  long openFrom;

  /** Somebody would have come, but another event went first. */
  boolean waiting;

  @Nullable Mover mover;

  Lane(int index, int y) {
    this.index = index;
    this.y = y;
  }

  /** Empties it, for one second at least. */
  void clear(long second) {
    mover = null;
    openFrom = second + 2;
  }
}
