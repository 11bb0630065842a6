// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import io.everwatch.job.world.Dice.Purpose;

/** What a camera adds to frame after frame: a shift, a gain, pixel noise. */
final class Sensor {
  private static final int NOISE_VALUES = 1 << 18;

  // of a draw of deviation 147.8, in 65536ths: a grey level; a thousandth of a gain of 1024
  private static final int NOISE_SCALE = 443;
  private static final int GAIN_SCALE = 454;
  private static final int HALF = 32_768;

  /** Shared by all cameras; made when the first frame is exposed. */
  private static final class Noise {
    static final short[] BELLS = new Dice(0, Purpose.NOISE).bells(NOISE_VALUES);
  }

  private final View view;
  private final Dice dice;

  Sensor(long seed, View view) {
    this.view = view;
    this.dice = new Dice(seed, Purpose.SENSOR);
  }

  private int shift(long frame, int field) {
    return dice.below(2 * view.shake() + 1, frame, field) - view.shake();
  }

  /** {@code [height][width][3]} bytes, red first. */
  byte[] expose(Canvas canvas, long frame) {
    int right = shift(frame, 2);
    int down = shift(frame, 3);
    int gain = 1024 + ((dice.bell(frame, 0) * view.flicker() * GAIN_SCALE + HALF) >> 16);
    int start = dice.below(NOISE_VALUES - view.width() * view.height(), frame, 1);
    int rowBytes = 3 * view.width();
    byte[] picture = new byte[rowBytes * view.height()];
    for (int y = 0; y < view.height(); y++) {
      for (int i = 0; i < rowBytes; i++) {
        int bell = Noise.BELLS[start + y * view.width() + i / 3];
        int noise = (bell * view.noise() * NOISE_SCALE + HALF) >> 16;
        int value = ((canvas.at(right, down, y, i) * gain) >> 10) + noise;
        picture[y * rowBytes + i] = (byte) Math.min(255, Math.max(0, value));
      }
    }
    return picture;
  }
}
