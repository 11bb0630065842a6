// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Vocabulary;
import java.util.Arrays;
import java.util.BitSet;

/** The ids that may be drawn, a bit each. */
final class CudaVocabulary implements Vocabulary {
  private final int width;
  private final int limit;
  private final DeviceMemory bits;

  private CudaVocabulary(int width, int limit, DeviceMemory bits) {
    this.width = width;
    this.limit = limit;
    this.bits = bits;
  }

  /** See {@link io.everwatch.kernels.Backend#vocabulary}. */
  static CudaVocabulary of(CudaDevice device, int width, BitSet drawable) {
    int limit = drawable.length();
    if (limit == 0 || limit > width || width > CudaSampling.MOST_IDS) {
      throw new IllegalArgumentException(
          "vocabulary: %d ids may be drawn, the last is %d, but a row has %d logits; expected at least one id, all below that, of at most %d; is the tokenizer of another model?"
              .formatted(drawable.cardinality(), limit - 1, width, CudaSampling.MOST_IDS));
    }
    int words = SeenSets.words(limit);
    long[] pairs = drawable.toLongArray();
    int[] bits = new int[words];
    Arrays.setAll(bits, i -> (int) (pairs[i / 2] >>> (i % 2 * Integer.SIZE)));
    DeviceMemory memory = DeviceMemory.allocate(device, 4L * words, "vocabulary");
    new BlockingCopies(device).write(memory.address(), bits);
    return new CudaVocabulary(width, limit, memory);
  }

  @Override
  public int width() {
    return width;
  }

  /** Ids from here on are not looked at. */
  int limit() {
    return limit;
  }

  /** u32 [limit / 32]. */
  long address() {
    return bits.address();
  }

  @Override
  public void close() {
    bits.close();
  }
}
