// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.ArrayList;
import java.util.List;

/**
 * A synthetic camera with its truth, without end. The same {@link WorldScene} gives the same
 * seconds and the same bytes, always and everywhere.
 */
public final class WorldCamera {
  private final View view;
  private final Scene scene;
  private final Painter painter;
  private final Sensor sensor;

  public WorldCamera(WorldScene settings) {
    view = settings.view();
    scene =
        switch (settings.place()) {
          case ROAD -> new Road(settings);
          case DOOR -> new Door(settings);
        };
    painter = Painter.of(settings, scene);
    sensor = new Sensor(settings.seed(), view);
  }

  /** What to tell the model, once. */
  public String instruction() {
    return scene.instruction();
  }

  /** Lets a second pass. */
  public Second step() {
    return scene.step();
  }

  /**
   * What it shows of a second that it let pass: {@code [fps][height][width][3]} bytes, a list of
   * frames. A pure function of the second.
   */
  public List<byte[]> render(Second second) {
    Canvas still = new Canvas(view);
    painter.still(still, second);
    Canvas canvas = new Canvas(view);
    List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < view.fps(); i++) {
      canvas.show(still);
      for (Seen mover : second.movers()) {
        painter.mover(canvas, mover, i);
      }
      painter.occluder(canvas);
      frames.add(sensor.expose(canvas, second.index() * view.fps() + i));
    }
    return frames;
  }
}
