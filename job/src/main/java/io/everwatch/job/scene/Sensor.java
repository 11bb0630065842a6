// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

/** What a camera adds: one of 24 shared pictures of pixel noise, and a flicker of the gain. */
final class Sensor {
  private static final double NOISE_SIGMA = 5;
  private static final double GAIN_SIGMA = 0.02;
  private static final float[][] NOISE = noise();

  private final SceneRandom random;

  Sensor(SceneRandom random) {
    this.random = random;
  }

  byte[] expose(RoadRenderer renderer, FrameState state) {
    float[] noise = random.oneOf(NOISE);
    float gain = (float) (1 + random.normal() * GAIN_SIGMA);
    return renderer.render(state, gain, noise);
  }

  private static float[][] noise() {
    SceneRandom random = new SceneRandom(5, 0);
    float[][] pictures = new float[24][Background.SIZE * Background.SIZE];
    for (float[] picture : pictures) {
      for (int i = 0; i < picture.length; i++) {
        picture[i] = (float) (random.normal() * NOISE_SIGMA);
      }
    }
    return pictures;
  }
}
