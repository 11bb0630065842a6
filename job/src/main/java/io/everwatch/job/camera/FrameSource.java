// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.io.IOException;
import java.util.Optional;

/** Pictures with their capture time, one after the other. Used by one thread at a time. */
public interface FrameSource extends AutoCloseable {
  /**
   * The next picture, or empty at the end.
   *
   * @throws IOException when the source cannot be read on; the message names it and the place
   */
  Optional<CameraFrame> next() throws IOException;

  @Override
  void close() throws IOException;
}
