// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelection.Probe;
import io.everwatch.kernels.FlexPrefill;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Brings what a span chose to the host; see {@link SparseLayout} for where it lies. */
final class SparseResults {
  private final CudaStream stream;
  private final BlockingCopies copies;

  SparseResults(CudaStream stream) {
    this.stream = stream;
    this.copies = new BlockingCopies(stream.device());
  }

  /** Of a span that was attended to everything. */
  BlockSelection dense(BlockGrid grid, int heads) {
    Head head = new Head(Pattern.DENSE, Optional.empty(), BlockMask.dense(grid));
    return new BlockSelection(grid, Collections.nCopies(heads, head), new float[0]);
  }

  /**
   * @param kept address of the span's own area
   * @param maskAddress of {@code [H][R][words]}
   */
  BlockSelection read(SparseSpan span, long kept, long maskAddress) {
    stream.synchronize();
    SparseLayout at = span.layout();
    BlockGrid grid = at.grid();
    int heads = at.shape().heads();
    int[] mask = ints(maskAddress, at.items() * at.words());
    boolean probed = span.selector() instanceof FlexPrefill;
    int[] decided = probed ? ints(kept, heads * SparseLayout.HEAD_BYTES / 4) : new int[0];
    float[] masses = floats(kept + at.masses(), probed ? 3 * heads * grid.blocks() : 0);
    int[] picked = ints(kept + at.picked(), probed ? 2 * heads * at.words() : 0);
    List<Head> all = new ArrayList<>(heads);
    int perHead = grid.rows() * at.words();
    for (int h = 0; h < heads; h++) {
      BlockMask own =
          BlockMask.of(
              grid.rows(), grid.blocks(), Arrays.copyOfRange(mask, h * perHead, (h + 1) * perHead));
      if (!probed) {
        all.add(new Head(Pattern.PRESCRIBED, Optional.empty(), own));
        continue;
      }
      int from = h * SparseLayout.HEAD_BYTES / 4;
      Pattern pattern = decided[from] == 1 ? Pattern.QUERY_AWARE : Pattern.VERTICAL_SLASH;
      int nb = grid.blocks();
      Probe probe =
          new Probe(
              Float.intBitsToFloat(decided[from + 1]),
              Arrays.copyOfRange(masses, h * nb, (h + 1) * nb),
              Arrays.copyOfRange(masses, (heads + h) * nb, (heads + h + 1) * nb),
              Arrays.copyOfRange(masses, (2 * heads + h) * nb, (2 * heads + h + 1) * nb),
              decided[from + 2],
              decided[from + 3],
              decided[from + 4],
              decided[from + 5],
              bits(picked, h * at.words(), nb),
              bits(picked, (heads + h) * at.words(), nb),
              Float.intBitsToFloat(decided[from + 6]));
      all.add(new Head(pattern, Optional.of(probe), own));
    }
    return new BlockSelection(grid, all, floats(kept + at.lse(), grid.queries() * heads));
  }

  private static int[] bits(int[] words, int from, int count) {
    return IntStream.range(0, count)
        .filter(i -> (words[from + i / 32] >>> (i % 32) & 1) != 0)
        .toArray();
  }

  private int[] ints(long address, int count) {
    int[] values = new int[count];
    copies.read(address, values);
    return values;
  }

  private float[] floats(long address, int count) {
    float[] values = new float[count];
    copies.read(address, values);
    return values;
  }
}
