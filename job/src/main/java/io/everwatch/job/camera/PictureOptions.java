// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.util.List;
import java.util.Optional;

/**
 * What becomes of a decoded picture on its way to the wire.
 *
 * @param masks blackened before anything else
 * @param largest pictures are shrunk to fit, never enlarged; empty = sent whole
 * @param quality of JPEG, 1 to 100
 */
public record PictureOptions(List<Mask> masks, Optional<PictureSize> largest, int quality) {
  /** High enough that the texture of small objects survives. */
  static final int QUALITY = 92;

  /** As it is. */
  public static final PictureOptions WHOLE =
      new PictureOptions(List.of(), Optional.empty(), QUALITY);

  /** The size that is sent of a picture. */
  PictureSize sizeOf(PictureSize whole) {
    return largest.map(whole::within).orElse(whole);
  }
}
