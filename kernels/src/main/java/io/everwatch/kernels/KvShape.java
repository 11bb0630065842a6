// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * Shape of one cached row, and what rotates it: K and V of all layers are {@code
 * [layers][2][kvHeads * headDim]}.
 *
 * @param heads query heads; a multiple of {@code kvHeads}
 * @param mropeSections pairs of a head that turn with the temporal, height and width component of a
 *     position, in this order; their sum is half the head dim
 * @param ropeTheta base of the rotary frequencies {@code theta^(-2i/headDim)}
 */
public record KvShape(
    int layers, int heads, int kvHeads, int headDim, int[] mropeSections, double ropeTheta) {
  public KvShape {
    mropeSections = mropeSections.clone();
    if (layers < 1 || kvHeads < 1 || heads % kvHeads != 0 || headDim % 2 != 0) {
      throw new IllegalArgumentException(
          "KV shape: %d layers, %d heads, %d KV heads of %d; "
                  .formatted(layers, heads, kvHeads, headDim)
              + "heads must be a multiple of KV heads and the head dim even");
    }
    if (mropeSections.length != 3
        || mropeSections[0] + mropeSections[1] + mropeSections[2] != headDim / 2) {
      throw new IllegalArgumentException(
          "mrope_section must be three numbers with sum %d (half the head dim), but is %s"
              .formatted(headDim / 2, java.util.Arrays.toString(mropeSections)));
    }
  }

  /** Elements of K and V of all layers of one row. */
  public long rowElements() {
    return 2L * layers * kvHeads * headDim;
  }
}
