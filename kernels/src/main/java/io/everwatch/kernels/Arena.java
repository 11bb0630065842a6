// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** Memory of one step: buffers are handed out one after the other and given back all at once. */
public interface Arena extends AutoCloseable {
  /**
   * A buffer of {@code rows * columns} elements whose content is undefined.
   *
   * @throws DeviceException of class REFUSED when the device has no memory left
   */
  DeviceBuffer allocate(long rows, long columns);

  /** Makes all buffers of this arena unusable and their memory free for the next step. */
  void reset();

  @Override
  void close();
}
