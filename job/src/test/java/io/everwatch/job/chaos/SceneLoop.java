// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import io.everwatch.job.camera.RoadSceneSource;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.operators.model.EncodedFrame;
import java.util.ArrayList;
import java.util.List;

/**
 * Frames of a synthetic road, drawn once and shown again and again, so that drawing costs nothing.
 */
final class SceneLoop {
  /** Frames a second of the road. */
  static final int FPS = 2;

  private final List<EncodedFrame> frames;

  private SceneLoop(List<EncodedFrame> frames) {
    this.frames = frames;
  }

  static SceneLoop draw(long seed, int seconds) {
    List<EncodedFrame> frames = new ArrayList<>();
    try (RoadSceneSource road = new RoadSceneSource(RoadScene.ofSeed(seed))) {
      for (int i = 0; i < FPS * seconds; i++) {
        frames.add(road.next().orElseThrow().picture());
      }
    }
    return new SceneLoop(frames);
  }

  EncodedFrame at(long index) {
    return frames.get((int) (index % frames.size()));
  }
}
