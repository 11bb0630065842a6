// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** Cached rows on their way from the pool to the host, as they were when they were asked for. */
@FunctionalInterface
public interface PendingRows {
  /** No rows. */
  PendingRows NONE = () -> new byte[0][];

  /** Rows that are here already. */
  static PendingRows of(byte[][] rows) {
    return () -> rows;
  }

  /**
   * Waits until they have come. Any thread, as often as wanted, always the same rows.
   *
   * @return one array of {@link RowPool#rowBytes} per slot asked for, in that order; not to be
   *     written to
   * @throws DeviceException when the device failed before they came
   */
  byte[][] await();
}
