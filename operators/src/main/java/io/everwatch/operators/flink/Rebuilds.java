// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * After a change of the model every stream is rebuilt when its next chunk is closed: a few at a
 * time, in the order in which they asked, so that the first ones speak while the others wait with
 * their chunks queued. What is rebuilt, and to which bytes, does not depend on it.
 */
final class Rebuilds {
  /** Of one subtask; each has a prompt of all words that a stream remembers, then its log. */
  static final int AT_ONCE = 4;

  private final Set<StreamState> begun = new LinkedHashSet<>();
  private final Set<StreamState> waiting = new LinkedHashSet<>();

  /** Whether the stream may begin now; else it is told by {@link #over} when it may. */
  boolean mayBegin(StreamState stream) {
    if (begun.contains(stream)) {
      return true;
    }
    if (begun.size() < AT_ONCE) {
      waiting.remove(stream);
      return begun.add(stream);
    }
    waiting.add(stream);
    return false;
  }

  /** The stream is done with it, if it was at it; returns the one that may begin in its place. */
  Optional<StreamState> over(StreamState stream) {
    if (!begun.remove(stream) || waiting.isEmpty()) {
      return Optional.empty();
    }
    StreamState next = waiting.iterator().next();
    waiting.remove(next);
    begun.add(next);
    return Optional.of(next);
  }
}
