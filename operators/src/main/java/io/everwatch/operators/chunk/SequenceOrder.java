// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import io.everwatch.operators.chunk.AssemblerState.Range;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts frames into sequence order: a frame waits while a smaller number is missing, until that one
 * comes or is given up. Remembers which numbers were seen, in bounded space.
 */
final class SequenceOrder<P> {
  private final List<Frame<P>> waiting = new ArrayList<>(); // ascending, all above settled + 1
  private final List<Range> abandoned = new ArrayList<>(); // ascending
  private long settled;
  private long horizon;

  SequenceOrder(long settled, long horizon, List<Range> abandoned, List<Frame<P>> waiting) {
    this.settled = settled;
    this.horizon = horizon;
    this.abandoned.addAll(abandoned);
    this.waiting.addAll(waiting);
  }

  long settled() {
    return settled;
  }

  long horizon() {
    return horizon;
  }

  List<Range> abandoned() {
    return abandoned;
  }

  List<Frame<P>> waiting() {
    return waiting;
  }

  /** Largest number seen. */
  long newest() {
    return waiting.isEmpty() ? settled : waiting.get(waiting.size() - 1).sequence();
  }

  /** A frame of this number came before; false when that is too long ago to be known. */
  boolean seen(long sequence) {
    return sequence > settled
        ? indexOf(sequence) >= 0
        : sequence >= horizon && abandonedAt(sequence) < 0;
  }

  /** The next life of a camera, or the first: nothing before {@code first} is known or awaited. */
  void restart(long first) {
    abandoned.clear();
    settled = first - 1;
    horizon = first;
  }

  /** Takes a frame of a number above {@link #settled} that was not seen. */
  void add(Frame<P> frame) {
    waiting.add(-1 - indexOf(frame.sequence()), frame);
  }

  /** The next frame in sequence order is there. */
  boolean ready() {
    return !waiting.isEmpty() && waiting.get(0).sequence() == settled + 1;
  }

  Frame<P> take() {
    settled++;
    return waiting.remove(0);
  }

  /** Awaits nothing before {@code sequence} any longer; no frame before it is waiting. */
  void abandonBefore(long sequence) {
    if (sequence - 1 > settled) {
      abandoned.add(new Range(settled + 1, sequence - 1));
      settled = sequence - 1;
      if (abandoned.size() > ChunkAssembler.MAX_ABANDONED) {
        horizon = abandoned.remove(0).last() + 1;
      }
    }
  }

  /** A number that was given up came after all. */
  void recover(long sequence) {
    int at = abandonedAt(sequence);
    if (at >= 0) {
      Range range = abandoned.remove(at);
      if (sequence < range.last()) {
        abandoned.add(at, new Range(sequence + 1, range.last()));
      }
      if (range.first() < sequence) {
        abandoned.add(at, new Range(range.first(), sequence - 1));
      }
      if (abandoned.size() > ChunkAssembler.MAX_ABANDONED) {
        horizon = abandoned.remove(0).last() + 1;
      }
    }
  }

  /** The frame of the next number was taken out of the stream; it is not missing. */
  void skipIfNext(long sequence) {
    if (sequence == settled + 1) {
      settled = sequence;
    }
  }

  private int indexOf(long sequence) {
    int low = 0;
    int high = waiting.size() - 1;
    while (low <= high) {
      int mid = (low + high) >>> 1;
      int order = Long.compare(waiting.get(mid).sequence(), sequence);
      if (order == 0) {
        return mid;
      }
      if (order < 0) {
        low = mid + 1;
      } else {
        high = mid - 1;
      }
    }
    return -1 - low;
  }

  private int abandonedAt(long sequence) {
    for (int i = abandoned.size() - 1; i >= 0; i--) {
      Range range = abandoned.get(i);
      if (range.first() <= sequence) {
        return sequence <= range.last() ? i : -1;
      }
    }
    return -1;
  }
}
