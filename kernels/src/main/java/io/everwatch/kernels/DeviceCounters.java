// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * What a device was asked to do for the steps since it was opened; the difference of two of these
 * belongs to the steps between. Copies of cached rows, which go beside the steps, are not in it.
 * All zero where nothing is launched, as on the CPU.
 *
 * @param launches kernels launched one by one
 * @param replays recorded passes launched as a whole, see {@link Backend#replay}
 * @param tableCopies copies to the device of what a pass must know: one per batch
 * @param otherCopies other copies to the device: pictures and what belongs to a prompt, weights
 * @param results copies to the host, which the caller waits for: one per {@link Backend#sample}
 * @param allocations memory, page-locked memory, streams, events and recordings made: none for a
 *     token once its batch's bucket has been recorded
 */
public record DeviceCounters(
    long launches,
    long replays,
    long tableCopies,
    long otherCopies,
    long results,
    long allocations) {
  public static final DeviceCounters NONE = new DeviceCounters(0, 0, 0, 0, 0, 0);

  /** What was added since {@code before}. */
  public DeviceCounters since(DeviceCounters before) {
    return new DeviceCounters(
        launches - before.launches,
        replays - before.replays,
        tableCopies - before.tableCopies,
        otherCopies - before.otherCopies,
        results - before.results,
        allocations - before.allocations);
  }
}
