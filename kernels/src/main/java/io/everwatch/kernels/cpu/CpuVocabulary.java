// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.Vocabulary;
import java.util.BitSet;
import java.util.stream.IntStream;

/**
 * What may be drawn.
 *
 * @param limit ids from here on are not looked at
 * @param unused ids below it that belong to no token
 */
record CpuVocabulary(int width, int limit, int[] unused) implements Vocabulary {
  static CpuVocabulary of(int width, BitSet drawable) {
    int limit = drawable.length();
    if (limit == 0 || limit > width) {
      throw new IllegalArgumentException(
          "vocabulary: %d ids may be drawn, the last is %d, but a row has %d logits; expected at least one id, all below that; is the tokenizer of another model?"
              .formatted(drawable.cardinality(), limit - 1, width));
    }
    int[] unused = IntStream.range(0, limit).filter(id -> !drawable.get(id)).toArray();
    return new CpuVocabulary(width, limit, unused);
  }

  @Override
  public void close() {
    // Nothing outside the heap.
  }
}
