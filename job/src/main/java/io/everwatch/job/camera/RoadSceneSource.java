// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.job.scene.Background;
import io.everwatch.job.scene.FrameState;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadWorld;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.RgbImage;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** The synthetic road as a camera: 112x112, two frames a second, without end. */
public final class RoadSceneSource implements FrameSource {
  private static final long FRAME_MICROS = 1_000_000 / RoadWorld.FPS;

  private final RoadWorld world;
  private final PictureEncoder encoder;
  private final Deque<FrameState> upcoming = new ArrayDeque<>();
  private long frames;

  public RoadSceneSource(RoadScene scene, Encoding encoding) {
    world = new RoadWorld(scene);
    encoder = new PictureEncoder(encoding);
  }

  /** PNG, which keeps the pictures exactly as the model was trained on them. */
  public RoadSceneSource(RoadScene scene) {
    this(scene, Encoding.PNG);
  }

  /** What to tell the model, once. */
  public String instruction() {
    return world.instruction();
  }

  @Override
  public Optional<CameraFrame> next() {
    if (upcoming.isEmpty()) {
      upcoming.addAll(world.next().frames());
    }
    byte[] pixels = world.expose(upcoming.remove());
    EncodedFrame picture = encoder.encode(new RgbImage(Background.SIZE, Background.SIZE, pixels));
    return Optional.of(new CameraFrame(frames++ * FRAME_MICROS, picture));
  }

  @Override
  public void close() {
    encoder.close();
  }
}
