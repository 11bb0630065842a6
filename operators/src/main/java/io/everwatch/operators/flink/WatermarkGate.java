// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.util.ArrayDeque;
import java.util.Optional;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.jspecify.annotations.Nullable;

/**
 * Holds watermarks back until all that entered before them has left. At most one pass per thing
 * under way exists, however many watermarks come.
 */
final class WatermarkGate {
  /** What entered between two watermarks. */
  static final class Pass {
    private int open;
    private @Nullable Watermark closing;

    private Pass() {}
  }

  private final ArrayDeque<Pass> passes = new ArrayDeque<>();

  WatermarkGate() {
    passes.add(new Pass());
  }

  /** Something enters; keep the pass until it leaves. */
  Pass enter() {
    Pass last = passes.getLast();
    last.open++;
    return last;
  }

  void leave(Pass pass) {
    if (--pass.open < 0) {
      throw new IllegalStateException("left twice");
    }
  }

  /** A watermark comes; it replaces the one before it when nothing entered in between. */
  void offer(Watermark mark) {
    Pass last = passes.getLast();
    if (last.open == 0 && passes.size() > 1) {
      passes.removeLast();
      passes.getLast().closing = mark;
      passes.add(last);
    } else {
      last.closing = mark;
      passes.add(new Pass());
    }
  }

  /** The next watermark that may go; call until there is none. */
  Optional<Watermark> poll() {
    return passes.size() > 1 && passes.getFirst().open == 0
        ? Optional.ofNullable(passes.removeFirst().closing)
        : Optional.empty();
  }
}
