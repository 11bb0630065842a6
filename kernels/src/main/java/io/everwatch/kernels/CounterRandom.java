// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.nio.charset.StandardCharsets;

/**
 * Random numbers without state: a draw is a function of (stream seed, round, token) alone, so it
 * does not matter who draws when, and a restored stream goes on with the same luck. Philox4x32-10
 * (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): the seed is the key, round
 * and token are the counter.
 */
public final class CounterRandom {
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  private CounterRandom() {}

  /**
   * The seed of one stream: streams with equal settings must not share their luck. 64-bit FNV-1a of
   * the stream ID's UTF-8 bytes, mixed with the seed of the settings.
   */
  public static long streamSeed(long seed, String streamId) {
    long hash = 0xCBF29CE484222325L;
    for (byte b : streamId.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
    }
    long[] mixed = new long[2];
    philox(seed, (int) hash, (int) (hash >>> 32), 0, 0, mixed);
    return mixed[0];
  }

  /** Uniform in [0, 1), 53 random bits. */
  public static double uniform(long streamSeed, long round, int token) {
    long[] out = new long[2];
    philox(streamSeed, token, 0, (int) round, (int) (round >>> 32), out);
    return (out[0] >>> 11) * 0x1.0p-53;
  }

  /** The four words of one block, two to a long, the lower word first. */
  static void philox(long key, int c0, int c1, int c2, int c3, long[] out) {
    int k0 = (int) key;
    int k1 = (int) (key >>> 32);
    int x0 = c0;
    int x1 = c1;
    int x2 = c2;
    int x3 = c3;
    for (int i = 0; i < ROUNDS; i++) {
      long p0 = MULTIPLIER_0 * (x0 & 0xFFFFFFFFL);
      long p1 = MULTIPLIER_1 * (x2 & 0xFFFFFFFFL);
      int y0 = (int) (p1 >>> 32) ^ x1 ^ k0;
      int y2 = (int) (p0 >>> 32) ^ x3 ^ k1;
      x1 = (int) p1;
      x3 = (int) p0;
      x0 = y0;
      x2 = y2;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    out[0] = (x0 & 0xFFFFFFFFL) | ((long) x1 << 32);
    out[1] = (x2 & 0xFFFFFFFFL) | ((long) x3 << 32);
  }
}
