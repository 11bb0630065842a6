// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import io.everwatch.schemas.avro.TextEvent;

/** Writes text events, each once, in the stream's order. One thread. */
@FunctionalInterface
public interface CaptionWriter {
  /** Writes one event; the caller flushes. */
  void write(TextEvent event);

  /** No event follows: writes what waited for the next one. */
  default void finish() {}
}
