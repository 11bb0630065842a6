// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import io.everwatch.kernels.CounterRandom;
import java.util.Arrays;
import java.util.Locale;

/**
 * Queries, keys and values before rotation, with what attention heads of trained models look at,
 * for lengths at which no trained heads are at hand. All is a function of row and head, so any part
 * of a prompt can be made alone; rotary positions are the rows.
 *
 * <p>Every head looks at the first {@value #SINK} rows, as trained heads do, and at what its kind
 * says, at 32K rows with about half of the mass each; what is left falls on all rows: less than 1 %
 * there, 2 % at 128K rows, and three times as much for mixed heads. Values are normal numbers: what
 * is left out misses in the output with its full size.
 */
public final class StructuredHeads {
  /** What a head looks at besides the first rows. */
  public enum Kind {
    /** Its nearest neighbours. */
    WINDOW,
    /** Four runs of 16 rows, at 1,000, 4,000, 16,000 and 64,000. */
    COLUMNS,
    /** The row 1,280 before, a multiple of every block. */
    DIAGONAL,
    /** The row 1,344 before, in the middle between two block diagonals. */
    DIAGONAL_BETWEEN,
    /** Window, the four columns and the first diagonal together. */
    MIXED,
    /** Runs of 16 rows, one in 4,096. */
    MANY_COLUMNS,
    /** Single rows, one in 1,021. */
    SCATTERED,
    /** Nothing, not even the first rows. */
    FLAT;

    /** Its name in tables. */
    public String words() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  private static final int SINK = 4;
  private static final double NEAR = 17; // nats above the rest, of a neighbour or a diagonal
  private static final double MARKED = 16.5; // of a row of the sink
  private static final float NOISE = 0.5f;
  private static final float NEAR_NOISE = 0.2f;
  private static final int TABLE = 1 << 16;

  private final int headDim;
  private final int half;
  private final int fast; // pairs
  private final double[] speeds;
  private final float[] noise = new float[TABLE];

  /** Heads of this size and rotary base. */
  public StructuredHeads(int headDim, double ropeTheta) {
    this.headDim = headDim;
    half = headDim / 2;
    fast = half / 2;
    speeds = new double[half];
    for (int i = 0; i < half; i++) {
      speeds[i] = Math.pow(ropeTheta, -2.0 * i / headDim);
    }
    for (int i = 0; i < TABLE; i++) {
      double radius = Math.sqrt(-2 * Math.log(1 - CounterRandom.uniform(7, 0, i)));
      noise[i] = (float) (radius * Math.cos(2 * Math.PI * CounterRandom.uniform(7, 1, i)));
    }
  }

  /**
   * Fast pairs are nearly equal in all keys, so that rotation lets them agree at one distance only;
   * slow pairs, which hardly turn, mark a few rows, whose fast pairs are empty.
   */
  public void key(int row, int kvHead, float[] to, int at) {
    int[] marks = {
      row < SINK ? 1 : 0,
      column(row) ? 1 : 0,
      row % 4096 >= 1500 && row % 4096 < 1516 ? 1 : 0,
      row % 1021 == 700 ? 1 : 0
    };
    boolean marked = Arrays.stream(marks).anyMatch(mark -> mark > 0);
    for (int i = 0; i < headDim; i++) {
      boolean near = i % half < fast;
      float noise = (near ? NEAR_NOISE : NOISE) * noise(row, 2 * kvHead, i);
      float common = i < fast ? 1 : 0;
      to[at + i] = marked && near ? 0 : noise + common;
    }
    for (int m = 0; m < marks.length; m++) {
      to[at + half - 1 - m] = marks[m];
      to[at + headDim - 1 - m] = 0;
    }
  }

  private static boolean column(int row) {
    for (int first = 1000; first <= row; first *= 4) {
      if (row < first + 16) {
        return true;
      }
    }
    return false;
  }

  public void value(int row, int kvHead, float[] to, int at) {
    for (int i = 0; i < headDim; i++) {
      to[at + i] = noise(row, 2 * kvHead + 1, i);
    }
  }

  public void query(Kind kind, int row, int head, float[] to, int at) {
    double unit = Math.sqrt(headDim);
    for (int i = 0; i < headDim; i++) {
      to[at + i] = (kind == Kind.FLAT ? 1 : NOISE) * noise(row, 1000 + head, i);
    }
    if (kind == Kind.FLAT) {
      return;
    }
    for (int slow = 1; slow <= 4; slow++) {
      to[at + half - slow] = 0;
    }
    to[at + half - 1] = (float) (unit * MARKED);
    switch (kind) {
      case WINDOW -> near(0, NEAR, to, at);
      case COLUMNS -> to[at + half - 2] = (float) (unit * (MARKED - 2.5));
      case MANY_COLUMNS -> to[at + half - 3] = (float) (unit * (MARKED - 4));
      case SCATTERED -> to[at + half - 4] = (float) (unit * (MARKED - 3));
      case DIAGONAL -> near(1280, NEAR, to, at);
      case DIAGONAL_BETWEEN -> near(1344, NEAR, to, at);
      case MIXED -> {
        near(0, NEAR - 0.5, to, at);
        near(1280, NEAR - 0.5, to, at);
        to[at + half - 2] = (float) (unit * (MARKED - 2.5));
      }
      case FLAT -> {}
    }
  }

  /** Adds what agrees best with the keys so many rows before. */
  private void near(int distance, double strength, float[] to, int at) {
    double size = strength * Math.sqrt(headDim) / fast;
    for (int i = 0; i < fast; i++) {
      to[at + i] += (float) (size * Math.cos(distance * speeds[i]));
      to[at + half + i] -= (float) (size * Math.sin(distance * speeds[i]));
    }
  }

  /** Turns a head by its row, as rotary embedding does. */
  public void rotate(int row, float[] x, int at) {
    for (int i = 0; i < half; i++) {
      double cos = Math.cos(row * speeds[i]);
      double sin = Math.sin(row * speeds[i]);
      double a = x[at + i];
      double b = x[at + half + i];
      x[at + i] = (float) (a * cos - b * sin);
      x[at + half + i] = (float) (b * cos + a * sin);
    }
  }

  private float noise(int row, int head, int component) {
    int hash = (row * 0x9E3779B1 + head) * 0x85EBCA6B + component;
    hash ^= hash >>> 15;
    hash *= 0xC2B2AE35;
    return noise[(hash ^ (hash >>> 13)) & (TABLE - 1)];
  }
}
