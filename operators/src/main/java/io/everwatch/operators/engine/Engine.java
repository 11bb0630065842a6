// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.StreamSettings;

/**
 * Understands chunks of many streams on one device; one per process and device, shared by all
 * subtasks. Thread-safe.
 */
public interface Engine extends AutoCloseable {
  /** The model's own settings, before any stream's. */
  StreamSettings settings();

  /** Digest of the model folder: hex, 64 characters. */
  String modelDigest();

  /** What decides the bits of its results. */
  NumericsIdentity numerics();

  /** Digest of {@link #numerics}: hex, 64 characters. */
  default String numericsIdentity() {
    return numerics().digest();
  }

  /**
   * Text of token ids of its model, special tokens left out. A character of which the ids hold only
   * a part becomes U+FFFD. Any thread.
   */
  String decode(int[] ids);

  /** Counts and times so far. */
  EngineMetrics metrics();

  /** A place for one user of the engine, e.g. one subtask. */
  Seat attach(EngineListener listener);

  @Override
  void close();
}
