// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Reference;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Tolerance;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What one stream puts in, a function of its seed alone, and what attention over it must give: row
 * r has the same Q, K, V whether it is loaded or computed, alone or in company.
 */
final class AttentionStream {
  private static final double BF16_EPSILON =
      Math.scalb(1.0, -8); // one rounding: 8 significant bits

  private final KvShape shape;
  private final DType dtype;
  private final long seed;

  AttentionStream(KvShape shape, DType dtype, long seed) {
    this.shape = shape;
    this.dtype = dtype;
    this.seed = seed;
  }

  private int width() {
    return shape.kvHeads() * shape.headDim();
  }

  /** Q, K and V of a token at one layer: {@code [(H + 2 K) * D]}, as the device sees them. */
  float[] token(int row, int layer) {
    int width = (shape.heads() + 2 * shape.kvHeads()) * shape.headDim();
    float[] values = Samples.gaussian(seed + 1000L * row + layer, width);
    return dtype == DType.F32 ? values : Bf16.round(values);
  }

  /** A row as the pool stores it. */
  byte[] bytes(int row) {
    ByteBuffer bytes =
        ByteBuffer.allocate((int) shape.rowElements() * dtype.sizeBytes())
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int layer = 0; layer < shape.layers(); layer++) {
      float[] token = token(row, layer);
      for (int i = token.length - 2 * width(); i < token.length; i++) {
        if (dtype == DType.F32) {
          bytes.putFloat(token[i]);
        } else {
          bytes.putShort(Bf16.of(token[i]));
        }
      }
    }
    return bytes.array();
  }

  /** Contiguous positions of rows, fractional and different on the three axes for some. */
  float[][] positions(int from, int to) {
    float[][] positions = new float[3][to - from];
    for (int i = 0; i < to - from; i++) {
      int row = from + i;
      boolean vision = row % 7 < 4;
      positions[0][i] = vision ? row + 0.25f * (row % 3) : row;
      positions[1][i] = vision ? row + 1 : row;
      positions[2][i] = vision ? row + 2 : row;
    }
    return positions;
  }

  /**
   * The result for a row over all rows up to itself, in double, and how far a right one may be
   * away: {@code [2][H * D]}. Rotated Q and K are rounded to the stored type, as is specified.
   *
   * <p>The limit is of first order, twice: a score off by e moves its weight's share of (v - out)
   * by e; a weight is rounded to the type; sums of float32; one rounding of the result. One
   * component of K that rounds the other way, since rotation is in float32, is allowed for.
   */
  double[][] expected(int row, int layer) {
    int d = shape.headDim();
    double[][] result = new double[2][shape.heads() * d];
    double[][] keys = new double[row + 1][];
    float[][] tokens = new float[row + 1][];
    for (int j = 0; j <= row; j++) {
      tokens[j] = token(j, layer);
    }
    for (int head = 0; head < shape.heads(); head++) {
      int kv = head / (shape.heads() / shape.kvHeads());
      double[] query = rotated(tokens[row], head * d, row);
      if (head % (shape.heads() / shape.kvHeads()) == 0) {
        for (int j = 0; j <= row; j++) {
          keys[j] = rotated(tokens[j], (shape.heads() + kv) * d, j);
        }
      }
      head(result, head * d, query, keys, tokens, (shape.heads() + shape.kvHeads() + kv) * d);
    }
    return result;
  }

  private void head(
      double[][] result, int at, double[] query, double[][] keys, float[][] tokens, int v) {
    int d = shape.headDim();
    int rows = keys.length;
    double[][] values = new double[rows][d];
    for (int j = 0; j < rows; j++) {
      for (int i = 0; i < d; i++) {
        values[j][i] = tokens[j][v + i];
      }
    }
    double[] out = Reference.attend(query, keys, values, rows);
    double[] weights = weights(query, keys);
    boolean f32 = dtype == DType.F32;
    double rounding = f32 ? Tolerance.ofSteps(1) : BF16_EPSILON;
    for (int i = 0; i < d; i++) {
      double moved = 0;
      double magnitude = 0;
      for (int j = 0; j < rows; j++) {
        double off = scoreLimit(query, keys[j]) + (f32 ? 0 : BF16_EPSILON);
        moved += weights[j] * Math.abs(values[j][i] - out[i]) * off;
        magnitude += weights[j] * Math.abs(values[j][i]);
      }
      result[0][at + i] = out[i];
      result[1][at + i] =
          2 * moved
              + magnitude * (Tolerance.ofSum(rows) + Tolerance.ofSteps(12))
              + Math.abs(out[i]) * rounding
              + 1e-30;
    }
  }

  private double scoreLimit(double[] query, double[] key) {
    double sum = 0;
    double largest = 0;
    double q = 0;
    double k = 0;
    for (int i = 0; i < query.length; i++) {
      double term = Math.abs(query[i] * key[i]);
      sum += term;
      largest = Math.max(largest, term);
      q += query[i] * query[i];
      k += key[i] * key[i];
    }
    double off = sum * Tolerance.ofSum(query.length);
    off +=
        dtype == DType.F32 ? Tolerance.ofSteps(8) * Math.sqrt(q * k) : 4 * BF16_EPSILON * largest;
    double score = sum / Math.sqrt(query.length);
    return off / Math.sqrt(query.length) + score * Tolerance.ofSteps(3);
  }

  private double[] weights(double[] query, double[][] keys) {
    double[] weights = new double[keys.length];
    double max = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < keys.length; j++) {
      for (int i = 0; i < query.length; i++) {
        weights[j] += query[i] * keys[j][i] / Math.sqrt(query.length);
      }
      max = Math.max(max, weights[j]);
    }
    double sum = 0;
    for (int j = 0; j < keys.length; j++) {
      weights[j] = Math.exp(weights[j] - max);
      sum += weights[j];
    }
    for (int j = 0; j < keys.length; j++) {
      weights[j] /= sum;
    }
    return weights;
  }

  private double[] rotated(float[] token, int from, int row) {
    double[] angles = Reference.angles(shape, positions(row, row + 1), 0);
    double[] rotated = Reference.rotate(token, from, angles);
    if (dtype == DType.BF16) {
      for (int i = 0; i < rotated.length; i++) {
        rotated[i] = Bf16.widen(Bf16.of((float) rotated[i]));
      }
    }
    return rotated;
  }
}
