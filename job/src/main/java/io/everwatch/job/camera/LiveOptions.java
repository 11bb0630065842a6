// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a live camera is spoken to.
 *
 * @param transport of RTSP's pictures
 * @param time where capture times come from
 * @param openLimit until a connection stands
 * @param frameLimit without a frame, after which a connection counts as lost
 * @param retryFirst wait before the first new connection; each next one is twice as long
 * @param retryLongest longest wait between two connections
 * @param attempts that may fail one after the other; empty = without end
 * @param queueFrames that wait for a slow broker before the oldest is dropped
 * @param tlsAuthorities certificates (PEM) of which one must vouch for an encrypted camera; empty =
 *     any certificate is taken
 */
public record LiveOptions(
    Transport transport,
    CameraTime time,
    Duration openLimit,
    Duration frameLimit,
    Duration retryFirst,
    Duration retryLongest,
    OptionalInt attempts,
    int queueFrames,
    Optional<Path> tlsAuthorities) {
  /** How RTSP sends pictures. */
  public enum Transport {
    TCP,
    UDP
  }

  /** Where capture times come from. */
  public enum CameraTime {
    ARRIVAL,
    CAMERA
  }

  public static final LiveOptions DEFAULTS =
      new LiveOptions(
          Transport.TCP,
          CameraTime.ARRIVAL,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofSeconds(1),
          Duration.ofSeconds(30),
          OptionalInt.empty(),
          64,
          Optional.empty());
}
