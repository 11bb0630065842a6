// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.OptionalLong;

/**
 * A value that the sentences told.
 *
 * @param told the second in which they last did; empty = it follows from nothing having been said
 */
record Fact<T>(T value, OptionalLong told) {
  /** Before anything was said. */
  static <T> Fact<T> given(T value) {
    return new Fact<>(value, OptionalLong.empty());
  }

  static <T> Fact<T> told(T value, long second) {
    return new Fact<>(value, OptionalLong.of(second));
  }
}
