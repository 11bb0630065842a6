// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

/**
 * Every row keeps the position at which it entered, and what is new goes on behind the newest
 * (StreamingVLM §8.2, {@code append}): the paper's baseline "native RoPE". Positions grow without
 * bound, what was evicted leaves gaps, and words that moved keep their old places. For ablations: a
 * model loses its memory by it, and snapshots do not hold these positions.
 */
public final class NativePositions implements PositionMode {
  @Override
  public float[][] positions(StreamMemory memory) {
    float[][] out = new float[3][memory.rows()];
    int row = 0;
    for (Slice slice : memory.slices()) {
      double start = slice.segment().start();
      if (Double.isNaN(start)) {
        throw new IllegalStateException(
            ("segment %d (%s of round %d) has no native position; expected one from the round it "
                    + "entered with; a memory from a snapshot goes on with contiguous positions only")
                .formatted(slice.segment().id(), slice.kind(), slice.round()));
      }
      ContiguousPositions.count(out, row, slice, start + slice.from());
      row += slice.rows();
    }
    return out;
  }
}
