// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.engine.RoundResult.BadFrame;
import io.everwatch.operators.model.BadFrameException;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.FrameDecoder;
import io.everwatch.operators.model.FrameProcessor;
import io.everwatch.operators.model.RgbImage;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.VisionClip;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The frames of one chunk, ready for the vision tower.
 *
 * @param vision empty when no frame of the chunk can be used
 * @param bad the frames that were replaced
 */
record Clip(Optional<VisionClip> vision, List<BadFrame> bad) {

  /** From frames to clips. Thread-safe. */
  static final class Maker {
    private final FrameDecoder decoder;
    private final FrameProcessor processor;
    private final boolean decoded;

    /**
     * @param decoded leave pictures as they are decoded, for a device that makes patches of them
     */
    Maker(FrameDecoder decoder, FrameProcessor processor, boolean decoded) {
      this.decoder = decoder;
      this.processor = processor;
      this.decoded = decoded;
    }

    /**
     * One that cannot be used is replaced by the good frame before it, at the start by the first
     * good one. All take the size that the first one gets.
     */
    Clip make(List<EncodedFrame> frames, StreamSettings settings) {
      Shown shown = new Shown(frames, settings);
      if (shown.nothing()) {
        return new Clip(Optional.empty(), shown.bad);
      }
      try {
        VisionClip vision =
            decoded
                ? processor.pictures(shown, settings.minPixels(), settings.maxPixels())
                : processor.patches(shown, settings.minPixels(), settings.maxPixels());
        return new Clip(Optional.of(vision), shown.bad);
      } catch (BadFrameException e) {
        throw new IllegalStateException("the size of the first frame was checked before", e);
      }
    }

    /**
     * The pictures that stand for the frames, decoded as they are asked for, in order: of a chunk
     * of hundred-megabyte pictures this list keeps three at a time, the first, the one that is
     * asked for and the one before it.
     */
    private final class Shown extends AbstractList<RgbImage> {
      private final List<EncodedFrame> frames;
      private final StreamSettings settings;
      private final List<BadFrame> bad = new ArrayList<>();
      private @Nullable RgbImage first;
      private @Nullable RgbImage before;
      private @Nullable RgbImage newest;
      private int read;

      Shown(List<EncodedFrame> frames, StreamSettings settings) {
        this.frames = frames;
        this.settings = settings;
      }

      /** Whether none of the frames can be used. */
      boolean nothing() {
        while (first == null && read < frames.size()) {
          readNext();
        }
        return first == null;
      }

      @Override
      public RgbImage get(int index) {
        while (read <= index) {
          readNext();
        }
        RgbImage picture = index == read - 1 ? newest : index == read - 2 ? before : first;
        return picture == null ? Objects.requireNonNull(first) : picture; // bad ones at the start
      }

      @SuppressWarnings("ReferenceEquality") // a repeat is the same instance
      private void readNext() {
        EncodedFrame frame = frames.get(read);
        before = newest;
        if (read > 0 && frame == frames.get(read - 1)) {
          boolean wasBad = !bad.isEmpty() && bad.get(bad.size() - 1).index() == read - 1;
          if (wasBad) {
            BadFrame same = bad.get(bad.size() - 1);
            bad.add(new BadFrame(read, same.reason(), same.detail()));
          }
        } else {
          RgbImage picture = decode(frame, settings);
          newest = picture == null ? newest : picture;
          first = first == null ? picture : first;
        }
        read++;
      }

      private @Nullable RgbImage decode(EncodedFrame frame, StreamSettings settings) {
        try {
          RgbImage picture = decoder.decode(frame);
          processor.targetSize(
              picture.height(), picture.width(), settings.minPixels(), settings.maxPixels());
          return picture;
        } catch (BadFrameException e) {
          bad.add(new BadFrame(read, e.reason(), String.valueOf(e.getMessage())));
          return null;
        }
      }

      @Override
      public int size() {
        return frames.size();
      }
    }
  }
}
