// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.schemas.avro.FrameEncoding;

/**
 * A picture of the frames topic.
 *
 * @param sequence of its camera
 * @param captureMicros capture time, microseconds since the epoch
 * @param arrivalMillis time of its record
 * @param width pixels; 0 = neither the record nor the picture says
 * @param bytes as the record has them; must not be changed
 */
public record Frame(
    String stream,
    long sequence,
    long captureMicros,
    long arrivalMillis,
    FrameEncoding encoding,
    int width,
    int height,
    byte[] bytes) {
  private static final byte[] NONE = {};

  /** The same without its picture, which is kept elsewhere. */
  Frame withoutPicture() {
    return new Frame(stream, sequence, captureMicros, arrivalMillis, encoding, width, height, NONE);
  }
}
