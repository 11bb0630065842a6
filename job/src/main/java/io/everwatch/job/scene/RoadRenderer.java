// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import io.everwatch.job.scene.FrameState.Placed;

/**
 * Draws the frames of one camera. The drawing rules are those of the world that the shipped model
 * was trained on: from the same background and state, without sensor noise, the same bytes.
 */
public final class RoadRenderer {
  private static final int SIZE = Background.SIZE;
  private static final Rgb GLASS = new Rgb(170, 210, 230);
  private static final Rgb TYRE = Rgb.grey(15);
  private static final Rgb HUB = Rgb.grey(120);
  private static final Rgb LAMP_CASE = Rgb.grey(25);

  private final Background background;
  private final float[] still;

  public RoadRenderer(Background background) {
    this.background = background;
    this.still = background.paint();
  }

  /** {@code [112][112][3]} bytes, red first, without noise. */
  public byte[] render(FrameState state) {
    return quantise(draw(state));
  }

  /**
   * As a camera sees it.
   *
   * @param gain brightness factor of this frame
   * @param noise {@code [112][112]}, added to the three channels alike
   */
  byte[] render(FrameState state, float gain, float[] noise) {
    float[] picture = draw(state);
    for (int i = 0; i < picture.length; i++) {
      picture[i] = picture[i] * gain + noise[i / 3];
    }
    return quantise(picture);
  }

  private float[] draw(FrameState state) {
    float[] picture = still.clone();
    Canvas canvas = new Canvas(picture);
    int x = background.lampX();
    int y = background.lampY();
    canvas.box(x - 8, x + 8, y - 9, y + 9, LAMP_CASE);
    canvas.box(x - 5, x + 5, y - 6, y + 6, state.lamp().rgb());
    for (Placed vehicle : state.vehicles()) {
      int laneY = background.laneY(vehicle.lane());
      switch (vehicle.kind()) {
        case CAR -> drawCar(canvas, vehicle, laneY);
        case BUS -> drawBus(canvas, vehicle, laneY);
        case BIKE -> drawBike(canvas, vehicle, laneY);
      }
    }
    return picture;
  }

  private static void drawCar(Canvas canvas, Placed car, int laneY) {
    Rgb paint = car.paint().rgb();
    double left = car.centerX() - car.kind().width() / 2.0;
    double right = car.centerX() + car.kind().width() / 2.0;
    int top = laneY - car.kind().height() / 2;
    int bottom = laneY + car.kind().height() / 2;
    canvas.box(left, right, top + 6, bottom - 2, paint);
    canvas.box(left + 6, right - 6, top, top + 6, paint);
    canvas.box(left + 8, right - 8, top + 1, top + 5, GLASS);
    canvas.box(left + 4, left + 9, bottom - 4, bottom, TYRE);
    canvas.box(right - 9, right - 4, bottom - 4, bottom, TYRE);
  }

  private static void drawBus(Canvas canvas, Placed bus, int laneY) {
    double left = bus.centerX() - bus.kind().width() / 2.0;
    double right = bus.centerX() + bus.kind().width() / 2.0;
    int top = laneY - bus.kind().height() / 2;
    int bottom = laneY + bus.kind().height() / 2;
    canvas.box(left, right, top, bottom - 2, bus.paint().rgb());
    for (int window = 0; window < 5; window++) {
      double shift = window * 8.5;
      canvas.box(left + 3 + shift, left + 9 + shift, top + 3, top + 9, GLASS);
    }
    canvas.box(left + 6, left + 12, bottom - 4, bottom, TYRE);
    canvas.box(right - 12, right - 6, bottom - 4, bottom, TYRE);
  }

  private static void drawBike(Canvas canvas, Placed bike, int laneY) {
    Rgb paint = bike.paint().rgb();
    double left = bike.centerX() - bike.kind().width() / 2.0;
    double right = bike.centerX() + bike.kind().width() / 2.0;
    int top = laneY - bike.kind().height() / 2;
    int bottom = laneY + bike.kind().height() / 2;
    for (double wheel : new double[] {left, right - 8}) {
      canvas.box(wheel, wheel + 8, bottom - 8, bottom, TYRE);
      canvas.box(wheel + 2, wheel + 6, bottom - 6, bottom - 2, HUB);
    }
    canvas.box(left + 4, right - 4, bottom - 11, bottom - 7, paint);
    canvas.box(bike.centerX() - 3, bike.centerX() + 3, top, bottom - 9, paint);
  }

  /** Cut to 0 to 255, fraction dropped. */
  private static byte[] quantise(float[] picture) {
    byte[] bytes = new byte[SIZE * SIZE * 3];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (int) Math.min(255f, Math.max(0f, picture[i]));
    }
    return bytes;
  }
}
