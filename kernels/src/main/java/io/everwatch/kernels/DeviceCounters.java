// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * What a device was asked to do since it was opened; the difference of two of these belongs to a
 * step. All zero where nothing is launched, as on the CPU.
 *
 * @param launches kernels launched one by one
 * @param replays recorded passes launched as a whole, see {@link Backend#replay}
 * @param tableCopies copies to the device of what a step needs to know: one per batch
 * @param otherCopies other copies to the device: pixels, rows of streams that come back
 * @param results copies to the host that the caller waits for: chosen tokens, downloads
 * @param rowCopies copies of cached rows to the host, beside the steps
 */
public record DeviceCounters(
    long launches, long replays, long tableCopies, long otherCopies, long results, long rowCopies) {
  public static final DeviceCounters NONE = new DeviceCounters(0, 0, 0, 0, 0, 0);

  /** What was added since {@code before}. */
  public DeviceCounters since(DeviceCounters before) {
    return new DeviceCounters(
        launches - before.launches,
        replays - before.replays,
        tableCopies - before.tableCopies,
        otherCopies - before.otherCopies,
        results - before.results,
        rowCopies - before.rowCopies);
  }
}
