// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** The ids that may be chosen from a row of logits. */
public interface Vocabulary extends AutoCloseable {
  /** V: logits of one row, those of ids that must never be chosen included. */
  int width();

  @Override
  void close();
}
