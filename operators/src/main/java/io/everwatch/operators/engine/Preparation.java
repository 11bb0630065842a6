// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.model.StreamSettings;
import java.util.Optional;
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
      Clip clip = clips.make(job.input.frames(), settings);
      long decoded = System.nanoTime();
      job.bad(clip.bad(), decoded - start);
      if (clip.vision().isEmpty()) {
        return Optional.of(noFrames(job, clip));
      }
      int held = pictures.shrink(taken, clip.vision().get().bytes());
      job.onEnd(() -> pictures.giveBack(held));
      String said = job.input.said();
      if (said != null) {
        job.prescribed(ending.turn(said));
      }
      job.planned(
          planner.plan(
              job.session.committed(),
              settings,
              job.session.policy(),
              job.input,
              clip.vision().get()),
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

  /** What its prepared pictures take at most: three float32 per pixel, frames in pairs. */
  private static long mostPictureBytes(Job job, StreamSettings settings) {
    return (job.input.frames().size() + 1) * settings.maxPixels() * 3 * Float.BYTES;
  }

  private static String noFrames(Job job, Clip clip) {
    return "none of the %d frames of chunk %d can be used (first: %s); expected at least one good frame; see the dead-letter topic"
        .formatted(
            job.input.frames().size(),
            job.input.chunk(),
            clip.bad().isEmpty() ? "no frames came" : clip.bad().get(0).detail());
  }
}
