// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.Optional;

/**
 * How a back end computes.
 *
 * @param threads threads of the CPU back end; results do not depend on it
 * @param plainProducts use the plain Java product only, the reference, instead of the library
 * @param dtype type of weights, activations and cached rows; empty: the back end's own choice, F32
 *     on the CPU (which has no other) and BF16 on a GPU, where F32 is for tests
 * @param device index of the device, from 0; always 0 on the CPU
 */
public record BackendOptions(
    int threads, boolean plainProducts, Optional<DType> dtype, int device) {
  public BackendOptions {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, but is " + threads);
    }
    if (device < 0) {
      throw new IllegalArgumentException(
          "device must be the index of a device, 0 or more, but is " + device);
    }
  }

  /** On the first device, in the back end's own type. */
  public BackendOptions(int threads, boolean plainProducts) {
    this(threads, plainProducts, Optional.empty(), 0);
  }

  public static BackendOptions defaults() {
    return new BackendOptions(Math.max(1, Runtime.getRuntime().availableProcessors()), false);
  }

  public BackendOptions withDtype(DType type) {
    return new BackendOptions(threads, plainProducts, Optional.of(type), device);
  }

  public BackendOptions withDevice(int index) {
    return new BackendOptions(threads, plainProducts, dtype, index);
  }
}
