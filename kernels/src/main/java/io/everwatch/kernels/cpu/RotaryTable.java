// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.util.Arrays;

/**
 * Cosines and sines of rotary angles, kept per distinct position: a stream's positions are
 * contiguous, so the same few thousand come back every second, fractional ones included.
 *
 * <p>Angle {@code p * f_i} is one float32 product, {@code f_i = theta^(-2i/D)} computed in double
 * and rounded; sine and cosine of it are computed in double and rounded to float32.
 */
final class RotaryTable {
  private static final int MOST_POSITIONS = 1 << 16;

  private final int pairs;
  private final float[] frequencies;
  private int[] keys = new int[4096]; // raw bits of the position; open addressing
  private int[] entries = new int[4096]; // index + 1 of the table row, 0: free
  private int size;
  private float[] cosSin; // [size][2][pairs]

  RotaryTable(int headDim, double theta) {
    pairs = headDim / 2;
    frequencies = new float[pairs];
    for (int i = 0; i < pairs; i++) {
      frequencies[i] = (float) Math.pow(theta, -2.0 * i / headDim);
    }
    cosSin = new float[1024 * 2 * pairs];
  }

  /**
   * Writes the factors of one row.
   *
   * @param positions time, height, width
   * @param sections pairs that turn with each of the three
   * @param to cosines of all pairs at {@code at}, sines behind them
   */
  void factors(float[][] positions, int row, int[] sections, float[] to, int at) {
    float time = positions[0][row];
    if (time == positions[1][row] && time == positions[2][row]) { // text, or the same frame corner
      int from = entry(time) * 2 * pairs; // may replace cosSin
      System.arraycopy(cosSin, from, to, at, 2 * pairs);
      return;
    }
    int pair = 0;
    float last = Float.NaN;
    int entry = 0;
    for (int axis = 0; axis < 3; axis++) {
      float position = positions[axis][row];
      if (position != last) {
        entry = entry(position);
        last = position;
      }
      int from = entry * 2 * pairs + pair;
      System.arraycopy(cosSin, from, to, at + pair, sections[axis]);
      System.arraycopy(cosSin, from + pairs, to, at + pairs + pair, sections[axis]);
      pair += sections[axis];
    }
  }

  private int entry(float position) {
    if (!Float.isFinite(position)) {
      throw new IllegalArgumentException(
          "position %s of a row; expected a finite number".formatted(position));
    }
    int key = Float.floatToRawIntBits(position + 0f); // -0 and 0 are one position
    int mask = keys.length - 1;
    int at = hash(key) & mask;
    while (entries[at] != 0) {
      if (keys[at] == key) {
        return entries[at] - 1;
      }
      at = (at + 1) & mask;
    }
    return add(key);
  }

  private static int hash(int key) {
    int h = key * 0x9E3779B1;
    return h ^ (h >>> 15);
  }

  private int add(int key) {
    if (size == MOST_POSITIONS) {
      Arrays.fill(entries, 0);
      size = 0;
    } else if (2 * size >= keys.length) {
      grow();
    }
    if ((size + 1) * 2 * pairs > cosSin.length) {
      cosSin = Arrays.copyOf(cosSin, cosSin.length * 2);
    }
    float position = Float.intBitsToFloat(key);
    int from = size * 2 * pairs;
    for (int i = 0; i < pairs; i++) {
      float angle = position * frequencies[i];
      cosSin[from + i] = (float) Math.cos(angle);
      cosSin[from + pairs + i] = (float) Math.sin(angle);
    }
    insert(key, ++size);
    return size - 1;
  }

  private void grow() {
    int[] oldKeys = keys;
    int[] oldEntries = entries;
    keys = new int[oldKeys.length * 2];
    entries = new int[keys.length];
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldEntries[i] != 0) {
        insert(oldKeys[i], oldEntries[i]);
      }
    }
  }

  private void insert(int key, int entry) {
    int mask = keys.length - 1;
    int at = hash(key) & mask;
    while (entries[at] != 0) {
      at = (at + 1) & mask;
    }
    keys[at] = key;
    entries[at] = entry;
  }
}
