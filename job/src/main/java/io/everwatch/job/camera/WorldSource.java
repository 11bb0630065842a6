// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.job.world.View;
import io.everwatch.job.world.WorldCamera;
import io.everwatch.job.world.WorldScene;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.RgbImage;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** A synthetic camera of {@code job.world}, without end. */
public final class WorldSource implements FrameSource {
  private static final long SECOND_MICROS = 1_000_000;

  private final WorldCamera camera;
  private final View view;
  private final PictureEncoder encoder;
  private final Deque<byte[]> upcoming = new ArrayDeque<>();
  private long frames;

  public WorldSource(WorldScene scene, Encoding encoding) {
    camera = new WorldCamera(scene);
    view = scene.view();
    encoder = new PictureEncoder(encoding);
  }

  /** What to tell the model, once. */
  public String instruction() {
    return camera.instruction();
  }

  @Override
  public Optional<CameraFrame> next() {
    if (upcoming.isEmpty()) {
      upcoming.addAll(camera.render(camera.step()));
    }
    EncodedFrame picture =
        encoder.encode(new RgbImage(view.width(), view.height(), upcoming.remove()));
    return Optional.of(new CameraFrame(frames++ * SECOND_MICROS / view.fps(), picture));
  }

  @Override
  public void close() {
    encoder.close();
  }
}
