// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * A picture as it came: bytes are not copied and must not change.
 *
 * @param width as the producer says; checked against the picture. 0 = not said (not for RGB24)
 */
public record EncodedFrame(Encoding encoding, int width, int height, byte[] bytes) {
  /** How the bytes are to be read. */
  public enum Encoding {
    JPEG,
    PNG,
    /** {@code [height][width][3]}, red first. */
    RGB24
  }
}
