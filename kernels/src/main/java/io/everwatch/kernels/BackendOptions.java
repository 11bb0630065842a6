// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * How a back end computes.
 *
 * @param threads threads of the CPU back end; results do not depend on it
 * @param plainProducts use the plain Java product only, the reference, instead of the library
 */
public record BackendOptions(int threads, boolean plainProducts) {
  public BackendOptions {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, but is " + threads);
    }
  }

  public static BackendOptions defaults() {
    return new BackendOptions(Math.max(1, Runtime.getRuntime().availableProcessors()), false);
  }
}
