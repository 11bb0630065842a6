// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Width and height in pixels. */
public record PictureSize(int width, int height) {
  private static final Pattern FORM = Pattern.compile("(\\d{1,5})x(\\d{1,5})");
  private static final int LARGEST_SIDE = 8192;

  public PictureSize {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException("a picture of %dx%d".formatted(width, height));
    }
  }

  /** Parses {@code WIDTHxHEIGHT}. */
  static PictureSize parse(String text) {
    Matcher form = FORM.matcher(text.strip());
    if (form.matches()) {
      int width = Integer.parseInt(form.group(1));
      int height = Integer.parseInt(form.group(2));
      if (Math.min(width, height) >= 16 && Math.max(width, height) <= LARGEST_SIDE) {
        return new PictureSize(width, height);
      }
    }
    throw new IllegalArgumentException(
        "expected WIDTHxHEIGHT such as 1280x720, each 16 to %d".formatted(LARGEST_SIDE));
  }

  /** The largest of this shape that fits, and not larger than this. */
  PictureSize within(PictureSize limit) {
    double scale =
        Math.min(1, Math.min((double) limit.width / width, (double) limit.height / height));
    return new PictureSize(
        Math.max(1, (int) Math.round(width * scale)),
        Math.max(1, (int) Math.round(height * scale)));
  }

  @Override
  public String toString() {
    return width + "x" + height;
  }
}
