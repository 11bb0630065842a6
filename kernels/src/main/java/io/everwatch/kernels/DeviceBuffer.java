// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * A run of activations on the device, float32 as seen from the host, row-major. Belongs to the
 * {@link Arena} that made it and is unusable after that arena was reset or closed.
 */
public interface DeviceBuffer {
  long elements();

  /** Type of the elements on the device: F32 or BF16. */
  DType dtype();
}
