// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.engine.RoundPlanner.Given;
import io.everwatch.operators.engine.RoundResult.BadFrame;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.VisionClip;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a worker does for a round before its step: decodes and resizes its frames, plans its prompt.
 */
final class Preparation {
  private static final Logger LOG = LoggerFactory.getLogger(Preparation.class);

  private final Clip.Maker clips;
  private final RoundPlanner planner;
  private final TurnEnding ending;
  private final PictureBudget pictures;

  Preparation(Clip.Maker clips, RoundPlanner planner, TurnEnding ending, PictureBudget pictures) {
    this.clips = clips;
    this.planner = planner;
    this.ending = ending;
    this.pictures = pictures;
  }

  /**
   * Waits until there is room for its pictures. Never throws: what is wrong with a round is its own
   * affair.
   *
   * @return why the round cannot be taken; empty: it is ready
   */
  Optional<String> prepare(Job job) {
    try (var context = LogContext.of(job.session.streamId(), job.input.chunk())) {
      return prepareInContext(job);
    }
  }

  private Optional<String> prepareInContext(Job job) {
    try {
      StreamSettings settings = job.session.settings();
      int taken = pictures.take(mostPictureBytes(job, settings));
      job.onEnd(() -> pictures.giveBack(taken));
      long start = System.nanoTime();
      List<BadFrame> bad = new ArrayList<>();
      List<Given> chunks = new ArrayList<>();
      int frames = 0;
      boolean drop = false;
      for (RoundInput earlier : job.input.earlier()) {
        drop |= earlier.dropVision();
        Clip clip = clips.make(earlier.frames(), settings);
        add(clip.bad(), frames, bad);
        frames += earlier.frames().size();
        if (clip.vision().isPresent() || earlier.frames().isEmpty()) {
          chunks.add(given(earlier.droppingVision(drop), clip.vision().orElse(null)));
          drop = false;
        }
      }
      Clip clip = clips.make(job.input.frames(), settings);
      add(clip.bad(), frames, bad);
      long decoded = System.nanoTime();
      job.bad(bad, decoded - start);
      if (clip.vision().isEmpty()) {
        return Optional.of(noFrames(job.input, clip.bad()));
      }
      RoundInput last = job.input.droppingVision(drop || job.input.dropVision());
      chunks.add(given(last, clip.vision().get()));
      int held = pictures.shrink(taken, bytes(chunks));
      job.onEnd(() -> pictures.giveBack(held));
      if (job.input.said() != null) {
        job.prescribed(chunks.get(chunks.size() - 1).answer());
      }
      job.planned(
          planner.plan(job.session.committed(), settings, job.session.policy(), chunks),
          System.nanoTime() - decoded);
      return Optional.empty();
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
      return Optional.of("the engine is closed");
    } catch (RuntimeException | Error e) { // a picture may ask for more memory than there is
      LOG.warn("chunk {} of {} could not be prepared", job.input.chunk(), job.session, e);
      return Optional.of("the chunk could not be prepared: " + e);
    }
  }

  private Given given(RoundInput input, @Nullable VisionClip clip) {
    String said = input.said();
    return new Given(input, clip, said == null ? new int[0] : ending.turn(said));
  }

  /** Bad frames are counted over all chunks. */
  private static void add(List<BadFrame> more, int before, List<BadFrame> all) {
    more.forEach(one -> all.add(new BadFrame(before + one.index(), one.reason(), one.detail())));
  }

  private static long bytes(List<Given> chunks) {
    return chunks.stream()
        .map(Given::clip)
        .filter(Objects::nonNull)
        .mapToLong(VisionClip::bytes)
        .sum();
  }

  /** What its prepared pictures take at most: three float32 per pixel, frames in pairs. */
  private static long mostPictureBytes(Job job, StreamSettings settings) {
    return job.input.mostFrames() * settings.maxPixels() * 3 * Float.BYTES;
  }

  /** Why a chunk makes no round. */
  static String noFrames(RoundInput input, List<BadFrame> bad) {
    return "none of the %d frames of chunk %d can be used (first: %s); expected at least one good frame; see the dead-letter topic"
        .formatted(
            input.frames().size(),
            input.chunk(),
            bad.isEmpty() ? "no frames came" : bad.get(0).detail());
  }
}
