// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceCounters;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts what is put into one stream. What is recorded into a graph does not run, so it does not
 * count. Counted by the stream's thread, read by any.
 */
final class StreamCounters {
  private final AtomicLong launches = new AtomicLong();
  private final AtomicLong replays = new AtomicLong();
  private final AtomicLong tableCopies = new AtomicLong();
  private final AtomicLong otherCopies = new AtomicLong();
  private final AtomicLong results = new AtomicLong();
  private boolean recording;

  /** From now on work is recorded, or runs. */
  void recording(boolean now) {
    recording = now;
  }

  void launched() {
    count(launches);
  }

  void replayed() {
    count(replays);
  }

  void copiedTable() {
    count(tableCopies);
  }

  void copiedOther() {
    count(otherCopies);
  }

  void copiedResult() {
    count(results);
  }

  private void count(AtomicLong counter) {
    if (!recording) {
      counter.incrementAndGet();
    }
  }

  /**
   * With what is not put into the stream.
   *
   * @param allocations of the device
   */
  DeviceCounters with(long allocations) {
    return new DeviceCounters(
        launches.get(),
        replays.get(),
        tableCopies.get(),
        otherCopies.get(),
        results.get(),
        allocations);
  }
}
