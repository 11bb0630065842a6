// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;
import java.util.Random;

/** Seeded inputs. */
public final class Samples {
  private Samples() {}

  /** Standard normal values. */
  public static float[] gaussian(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** A tensor in memory. */
  public static TensorSource tensor(String name, float[] values, long... shape) {
    List<Long> dimensions = java.util.Arrays.stream(shape).boxed().toList();
    return new TensorSource() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public List<Long> shape() {
        return dimensions;
      }

      @Override
      public void read(long from, float[] to, int at, int count) {
        System.arraycopy(values, Math.toIntExact(from), to, at, count);
      }
    };
  }

  /** A permutation of 0 to {@code count - 1}. */
  public static int[] permutation(long seed, int count) {
    Random random = new Random(seed);
    int[] order = new int[count];
    for (int i = 0; i < count; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
