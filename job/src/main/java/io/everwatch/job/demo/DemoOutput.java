// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import io.everwatch.schemas.avro.TextEvent;
import java.net.URI;

/** Where the demo shows itself. {@link #progress} comes from several threads. */
public interface DemoOutput {
  /** A step of the start, such as {@code broker: 1.2 s}. */
  void progress(String line);

  /** The wall is served there. */
  void wall(URI address);

  /**
   * One event, live.
   *
   * @param lagMillis arrival of the chunk's last frame until the event was read; -1 = it has none
   */
  void event(TextEvent event, long lagMillis);

  void summary(DemoSummary summary);
}
