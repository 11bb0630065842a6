// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.engine.RoundResult.BadFrame;
import io.everwatch.operators.model.BadFrameException;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.FrameDecoder;
import io.everwatch.operators.model.FrameProcessor;
import io.everwatch.operators.model.Patches;
import io.everwatch.operators.model.RgbImage;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The frames of one chunk, ready for the vision tower.
 *
 * @param patches empty when no frame of the chunk can be used
 * @param bad the frames that were replaced
 */
record Clip(Optional<Patches> patches, List<BadFrame> bad) {

  /** From frames to clips. Thread-safe. */
  static final class Maker {
    private final FrameDecoder decoder;
    private final FrameProcessor processor;

    Maker(FrameDecoder decoder, FrameProcessor processor) {
      this.decoder = decoder;
      this.processor = processor;
    }

    /**
     * Decodes each instance once; one that cannot be used is replaced by the good frame before it,
     * at the start by the first good one. All take the size that the first one gets.
     */
    Clip make(List<EncodedFrame> frames, StreamSettings settings) {
      List<BadFrame> bad = new ArrayList<>();
      List<@Nullable RgbImage> pictures = decode(frames, settings, bad);
      RgbImage filler = null;
      for (RgbImage picture : pictures) {
        if (picture != null) {
          filler = picture;
          break;
        }
      }
      if (filler == null) {
        return new Clip(Optional.empty(), bad);
      }
      List<RgbImage> shown = new ArrayList<>(pictures.size());
      for (RgbImage picture : pictures) {
        filler = picture == null ? filler : picture;
        shown.add(filler);
      }
      try {
        return new Clip(
            Optional.of(processor.patches(shown, settings.minPixels(), settings.maxPixels())), bad);
      } catch (BadFrameException e) {
        throw new IllegalStateException("the size of the first frame was checked before", e);
      }
    }

    private List<@Nullable RgbImage> decode(
        List<EncodedFrame> frames, StreamSettings settings, List<BadFrame> bad) {
      IdentityHashMap<EncodedFrame, Object> seen = new IdentityHashMap<>();
      List<@Nullable RgbImage> pictures = new ArrayList<>(frames.size());
      for (int i = 0; i < frames.size(); i++) {
        EncodedFrame frame = frames.get(i);
        Object result = seen.computeIfAbsent(frame, f -> decode(f, settings));
        if (result instanceof BadFrameException e) {
          bad.add(new BadFrame(i, e.reason(), String.valueOf(e.getMessage())));
          pictures.add(null);
        } else {
          pictures.add((RgbImage) result);
        }
      }
      return pictures;
    }

    /** A picture, or why there is none. */
    private Object decode(EncodedFrame frame, StreamSettings settings) {
      try {
        RgbImage picture = decoder.decode(frame);
        processor.targetSize(
            picture.height(), picture.width(), settings.minPixels(), settings.maxPixels());
        return picture;
      } catch (BadFrameException e) {
        return e;
      }
    }
  }
}
