// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

/** Patches as the fixtures keep them: 8 bits, before normalisation, rows and columns in order. */
final class StoredPatches {
  private static final float[] MEAN = {0.48145467f, 0.4578275f, 0.40821072f};
  private static final float[] STD = {0.26862955f, 0.2613026f, 0.2757771f};
  private static final int COLUMNS = 1176;
  private static final int CHANNEL = 392;

  private StoredPatches() {}

  /** {@code [n, 1176]} bytes to the float32 rows that the tower takes. */
  static float[] normalise(byte[] patches) {
    float[] rows = new float[patches.length];
    for (int i = 0; i < rows.length; i++) {
      int channel = i % COLUMNS / CHANNEL;
      float unit = (float) ((patches[i] & 0xFF) * (1.0 / 255.0));
      rows[i] = (unit - MEAN[channel]) / STD[channel];
    }
    return rows;
  }
}
