// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** Each operation in double, written for clarity. */
public final class Reference {
  private Reference() {}

  /** {@code x w^T + bias}, and beside each value the sum of its terms' magnitudes. */
  public static double[][] linear(
      float[] x, float[] w, float[] bias, int tokens, int rows, int columns) {
    double[][] result = new double[2][tokens * rows];
    for (int t = 0; t < tokens; t++) {
      for (int n = 0; n < rows; n++) {
        double sum = bias.length == 0 ? 0 : bias[n];
        double magnitude = Math.abs(sum);
        for (int k = 0; k < columns; k++) {
          double term = (double) x[t * columns + k] * w[n * columns + k];
          sum += term;
          magnitude += Math.abs(term);
        }
        result[0][t * rows + n] = sum;
        result[1][t * rows + n] = magnitude;
      }
    }
    return result;
  }

  /** See {@link Backend#rmsNorm}. */
  public static double[] rmsNorm(float[] x, float[] gain, double eps, int tokens) {
    int width = gain.length;
    double[] y = new double[tokens * width];
    for (int t = 0; t < tokens; t++) {
      double squares = 0;
      for (int c = 0; c < width; c++) {
        squares += (double) x[t * width + c] * x[t * width + c];
      }
      for (int c = 0; c < width; c++) {
        y[t * width + c] = gain[c] * (double) x[t * width + c] / Math.sqrt(squares / width + eps);
      }
    }
    return y;
  }

  /** {@code x / (1 + e^-x)}. */
  public static double silu(double x) {
    return x / (1 + Math.exp(-x));
  }

  /** {@code x/2 (1 + erf(x / sqrt 2))} by Simpson's rule on the density. */
  public static double gelu(double x) {
    int steps = 2000;
    double h = x / steps;
    double sum = density(0) + density(x);
    for (int i = 1; i < steps; i++) {
      sum += (i % 2 == 1 ? 4 : 2) * density(i * h);
    }
    return x * (0.5 + sum * h / 3);
  }

  private static double density(double x) {
    return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  /** Rotates a head: pair i is components i and i + D/2. */
  public static double[] rotate(float[] x, int from, double[] angles) {
    int half = angles.length;
    double[] y = new double[2 * half];
    for (int i = 0; i < half; i++) {
      double a = x[from + i];
      double b = x[from + half + i];
      y[i] = a * Math.cos(angles[i]) - b * Math.sin(angles[i]);
      y[half + i] = b * Math.cos(angles[i]) + a * Math.sin(angles[i]);
    }
    return y;
  }

  /** Angles of a row: one float32 product of position and frequency per pair. */
  public static double[] angles(KvShape shape, float[][] positions, int row) {
    double[] angles = new double[shape.headDim() / 2];
    int pair = 0;
    for (int axis = 0; axis < 3; axis++) {
      for (int i = 0; i < shape.mropeSections()[axis]; i++, pair++) {
        float frequency = (float) Math.pow(shape.ropeTheta(), -2.0 * pair / shape.headDim());
        angles[pair] = positions[axis][row] * frequency;
      }
    }
    return angles;
  }

  /** {@code softmax(q . k_j / sqrt D) v} over the first {@code visible} rows. */
  public static double[] attend(double[] q, double[][] k, double[][] v, int visible) {
    double[] scores = new double[visible];
    double max = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < visible; j++) {
      for (int d = 0; d < q.length; d++) {
        scores[j] += q[d] * k[j][d] / Math.sqrt(q.length);
      }
      max = Math.max(max, scores[j]);
    }
    double norm = 0;
    double[] out = new double[q.length];
    for (int j = 0; j < visible; j++) {
      double p = Math.exp(scores[j] - max);
      norm += p;
      for (int d = 0; d < q.length; d++) {
        out[d] += p * v[j][d];
      }
    }
    for (int d = 0; d < q.length; d++) {
      out[d] /= norm;
    }
    return out;
  }
}
