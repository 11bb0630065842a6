// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.model.BadFrameException.Reason;
import java.util.ArrayList;
import java.util.List;

/**
 * From pictures to the rows that the vision tower takes (Qwen2.5-VL specification, section 6):
 * resize to whole merge groups, normalise, pad in time, cut into patches. Thread-safe.
 */
public final class FrameProcessor {
  private static final int CHANNELS = 3;
  private static final int MAX_ASPECT_RATIO = 200;

  /** Three bytes of so many pixels are three float32 of one. */
  private static final int MOST_PIXELS = Float.BYTES;

  private final int patch;
  private final int merge;
  private final int framesPerPatch;
  private final float[][] normalised; // [channel][value]
  private final Resampler resampler = new Resampler();

  /**
   * @param patch pixels of a patch side
   * @param merge patches of a merge group's side
   * @param framesPerPatch frames that one patch spans
   * @param mean per channel, of values in [0, 1]
   * @param std per channel
   */
  public FrameProcessor(int patch, int merge, int framesPerPatch, float[] mean, float[] std) {
    this.patch = patch;
    this.merge = merge;
    this.framesPerPatch = framesPerPatch;
    this.normalised = new float[CHANNELS][256];
    for (int channel = 0; channel < CHANNELS; channel++) {
      for (int value = 0; value < 256; value++) {
        float unit = (float) (value * (1.0 / 255.0));
        normalised[channel][value] = (unit - mean[channel]) / std[channel];
      }
    }
  }

  /**
   * The processor of a model: patch sizes from its configuration, mean and std from its
   * preprocessor file.
   *
   * @throws BadModelException if that file is damaged or contradicts the configuration
   */
  public static FrameProcessor of(ModelFolder folder, ModelConfig config) {
    VisionConfig vision = config.vision();
    PixelStatistics pixels = PixelStatistics.read(folder, vision);
    return new FrameProcessor(
        vision.patchSize(),
        vision.spatialMergeSize(),
        vision.temporalPatchSize(),
        pixels.mean(),
        pixels.std());
  }

  /** A size in pixels. */
  public record Size(int height, int width) {}

  /**
   * The size that a picture is resized to (section 6.1): whole merge groups, about the same aspect
   * ratio, between the limits. Halves are rounded to even.
   *
   * @throws BadFrameException of reason ASPECT_RATIO when the longer side exceeds 200 times the
   *     shorter
   */
  public Size targetSize(int height, int width, long minPixels, long maxPixels)
      throws BadFrameException {
    if (Math.max(height, width) > (long) MAX_ASPECT_RATIO * Math.min(height, width)) {
      throw new BadFrameException(
          Reason.ASPECT_RATIO,
          "the frame is %dx%d pixels; expected the longer side at most %d times the shorter; "
                  .formatted(width, height, MAX_ASPECT_RATIO)
              + "crop it at the producer");
    }
    int factor = patch * merge;
    double h = factor * Math.rint((double) height / factor);
    double w = factor * Math.rint((double) width / factor);
    double pixels = (double) height * width;
    if (h * w > maxPixels) {
      double shrink = Math.sqrt(pixels / maxPixels);
      h = Math.max(factor, factor * Math.floor(height / shrink / factor));
      w = Math.max(factor, factor * Math.floor(width / shrink / factor));
    } else if (h * w < minPixels) {
      double grow = Math.sqrt(minPixels / pixels);
      h = factor * Math.ceil(height * grow / factor);
      w = factor * Math.ceil(width * grow / factor);
    }
    return new Size((int) h, (int) w);
  }

  /**
   * Makes one clip of {@code frames}. The first frame decides the size; others of a different size
   * are resized to it too. When the last patch lacks frames, the last frame is repeated.
   *
   * @param frames at least one; the same instance twice is resized once
   * @param minPixels pixel limits of one resized frame
   */
  @SuppressWarnings("ReferenceEquality") // a repeat is the same instance; equal pixels are rare
  public Patches patches(List<RgbImage> frames, long minPixels, long maxPixels)
      throws BadFrameException {
    if (frames.isEmpty()) {
      throw new IllegalArgumentException("a clip needs at least one frame");
    }
    RgbImage head = frames.get(0);
    Size size = targetSize(head.height(), head.width(), minPixels, maxPixels);
    int pairs = (frames.size() + framesPerPatch - 1) / framesPerPatch;
    int gridHeight = size.height() / patch;
    int gridWidth = size.width() / patch;
    int columns = CHANNELS * framesPerPatch * patch * patch;
    int rowsPerPair = gridHeight * gridWidth;
    float[] rows = new float[Math.multiplyExact(columns, Math.multiplyExact(pairs, rowsPerPair))];
    for (int n = 0; n < pairs * framesPerPatch; n++) {
      RgbImage frame = frames.get(Math.min(n, frames.size() - 1));
      int within = n % framesPerPatch;
      int base = n / framesPerPatch * rowsPerPair * columns;
      boolean repeats = within > 0 && frame == frames.get(Math.min(n, frames.size()) - 1);
      if (repeats) {
        repeat(rows, base, rowsPerPair, within);
      } else {
        resampler.resize(
            frame,
            size.width(),
            size.height(),
            (y, rgb) -> place(rgb, y, within, gridWidth, rows, base));
      }
    }
    return new Patches(rows, pairs, gridHeight, gridWidth);
  }

  /**
   * The same clip as {@link #patches}, to be prepared on the device. Pictures that have more than
   * {@value #MOST_PIXELS} times {@code maxPixels} are resized here, so that a clip never holds more
   * bytes than its patches may have; that changes no number.
   *
   * @param frames at least one; the same instance twice in a row is kept once
   */
  @SuppressWarnings("ReferenceEquality") // a repeat is the same instance; equal pixels are rare
  public ClipPictures pictures(List<RgbImage> frames, long minPixels, long maxPixels)
      throws BadFrameException {
    if (frames.isEmpty()) {
      throw new IllegalArgumentException("a clip needs at least one frame");
    }
    RgbImage head = frames.get(0);
    Size size = targetSize(head.height(), head.width(), minPixels, maxPixels);
    int pairs = (frames.size() + framesPerPatch - 1) / framesPerPatch;
    List<ClipPictures.Shown> shown = new ArrayList<>();
    RgbImage picture = head;
    int from = 0;
    for (int n = 1; n <= frames.size(); n++) {
      boolean last = n == frames.size();
      RgbImage next = last ? picture : frames.get(n);
      if (last || next != picture) {
        int end = last ? pairs * framesPerPatch : n; // the last one fills its pair
        shown.add(
            new ClipPictures.Shown(atMost(MOST_PIXELS * maxPixels, picture, size), from, end));
        picture = next;
        from = n;
      }
    }
    return new ClipPictures(
        shown, normalised, size, pairs, size.height() / patch, size.width() / patch);
  }

  private RgbImage atMost(long pixels, RgbImage picture, Size size) {
    if ((long) picture.width() * picture.height() <= pixels) {
      return picture;
    }
    int line = CHANNELS * size.width();
    byte[] resized = new byte[Math.multiplyExact(line, size.height())];
    resampler.resize(
        picture,
        size.width(),
        size.height(),
        (y, rgb) -> {
          for (int i = 0; i < line; i++) {
            resized[y * line + i] = (byte) rgb[i];
          }
        });
    return new RgbImage(size.width(), size.height(), resized);
  }

  /**
   * Spreads one row of pixels over its patches (section 6.5). Patches lie merge group by merge
   * group, inside a patch channel, frame, y, x.
   */
  private void place(int[] rgb, int y, int frame, int gridWidth, float[] rows, int base) {
    int area = patch * patch;
    int columns = CHANNELS * framesPerPatch * area;
    int patchRow = y / patch;
    int groupRow = patchRow / merge;
    int inPatch = frame * area + y % patch * patch;
    for (int x = 0, at = 0; x < gridWidth; x++) {
      int group = groupRow * (gridWidth / merge) + x / merge;
      int row = (group * merge + patchRow % merge) * merge + x % merge;
      int to = base + row * columns + inPatch;
      for (int i = 0; i < patch; i++, at += CHANNELS) {
        for (int channel = 0; channel < CHANNELS; channel++) {
          rows[to + channel * framesPerPatch * area + i] = normalised[channel][rgb[at + channel]];
        }
      }
    }
  }

  /** Fills frame {@code within} of each patch with a copy of the one before it. */
  private void repeat(float[] rows, int base, int count, int within) {
    int area = patch * patch;
    for (int n = 0; n < count * CHANNELS; n++) {
      int from = base + (n * framesPerPatch + within - 1) * area;
      System.arraycopy(rows, from, rows, from + area, area);
    }
  }
}
