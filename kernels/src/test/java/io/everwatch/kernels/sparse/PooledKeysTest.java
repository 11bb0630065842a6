// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.sparse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Means by block, kept while rows are added and written anew. */
class PooledKeysTest {
  private static final int BLOCK = 8;
  private static final int DIM = 3;
  private static final int MOST = 100;

  private final float[] keys = new float[MOST * DIM];
  private final List<Integer> asked = new ArrayList<>();

  private void read(int first, int count, float[] out) {
    asked.add(first);
    System.arraycopy(keys, first * DIM, out, 0, count * DIM);
  }

  private void fill(Random random, int from, int to) {
    for (int i = from * DIM; i < to * DIM; i++) {
      keys[i] = (float) random.nextGaussian();
    }
  }

  private static float[] means(float[] all, int rows) {
    return Arrays.copyOf(all, ((rows - 1) / BLOCK + 1) * DIM);
  }

  @Test
  void aBlockIsTheMeanOfTheKeysThatExist() {
    Arrays.fill(keys, 0, 8 * DIM, 2f);
    Arrays.fill(keys, 8 * DIM, 9 * DIM, 3f);
    Arrays.fill(keys, 9 * DIM, 10 * DIM, 5f);
    float[] pooled = new PooledKeys(BLOCK, DIM, this::read).of(10);
    assertThat(means(pooled, 10)).containsExactly(2, 2, 2, 4, 4, 4);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void whatIsKeptEqualsWhatIsMadeAnew(long seed) {
    Random random = new Random(seed);
    PooledKeys kept = new PooledKeys(BLOCK, DIM, this::read);
    int rows = 0;
    for (int step = 0; step < 12; step++) {
      int from = random.nextInt(3) == 0 ? random.nextInt(rows + 1) : rows; // now and then anew
      rows = Math.min(MOST, Math.max(rows, from + 1 + random.nextInt(20)));
      fill(random, from, rows);
      kept.changed(from);
      float[] anew = new PooledKeys(BLOCK, DIM, this::read).of(rows);
      assertThat(means(kept.of(rows), rows))
          .as("seed %d, step %d, %d rows", seed, step, rows)
          .isEqualTo(means(anew, rows));
    }
  }

  @Test
  void fullBlocksAreReadOnce() {
    PooledKeys pooled = new PooledKeys(BLOCK, DIM, this::read);
    pooled.of(20);
    assertThat(asked).containsExactly(0, 8, 16);
    asked.clear();
    pooled.of(33);
    assertThat(asked).containsExactly(16, 24, 32); // the one that was not full among them
  }
}
