// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** Frames of one camera that wait for the broker; full, it drops the oldest. Thread-safe. */
final class FrameQueue {
  /** A frame as it will be sent. */
  record Stamped(long sequence, long captureMicros, EncodedFrame picture) {}

  private final int capacity;
  private final Deque<Stamped> frames = new ArrayDeque<>();
  private boolean closed;

  FrameQueue(int capacity) {
    this.capacity = capacity;
  }

  /** Adds; never waits. Returns how many were dropped for it: 0 or 1. */
  synchronized int add(Stamped frame) {
    if (closed) {
      return 1;
    }
    int dropped = 0;
    if (frames.size() == capacity) {
      frames.removeFirst();
      dropped = 1;
    }
    frames.addLast(frame);
    notifyAll();
    return dropped;
  }

  /** The oldest, once there is one; empty when it is closed and nothing is left. */
  synchronized Optional<Stamped> take() throws InterruptedException {
    while (frames.isEmpty() && !closed) {
      wait();
    }
    return Optional.ofNullable(frames.pollFirst());
  }

  /** Takes no more. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }
}
