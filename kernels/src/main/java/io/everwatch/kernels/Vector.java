// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** A gain or a bias of {@code length} float32 values on the device. Owned by the back end. */
public interface Vector {
  String name();

  int length();
}
