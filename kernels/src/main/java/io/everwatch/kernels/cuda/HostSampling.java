// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.Sampler;
import io.everwatch.kernels.Vocabulary;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.stream.IntStream;

/** Tokens from logits, on the host. */
final class HostSampling {
  private final Downloads downloads;
  private final Map<CudaContext, BitSet> seen = new WeakHashMap<>();
  private List<Draw> draws = List.of();

  record Ids(int width, int limit, int[] unused) implements Vocabulary {
    @Override
    public void close() {}
  }

  HostSampling(Downloads downloads) {
    this.downloads = downloads;
  }

  static Ids vocabulary(int width, BitSet drawable) {
    int limit = drawable.length();
    return new Ids(
        width, limit, IntStream.range(0, limit).filter(id -> !drawable.get(id)).toArray());
  }

  void begin(StepTables tables, int[] ids, List<Draw> of) {
    draws = of;
    for (int i = 0; i < tables.contexts().size(); i++) {
      CudaContext context = tables.contexts().get(i);
      int[] fresh = context.takeSeen();
      if (fresh != null) {
        BitSet set = new BitSet();
        IntStream.of(fresh).forEach(set::set);
        seen.put(context, set);
      }
      if (tables.isDecode()) {
        seen.computeIfAbsent(context, c -> new BitSet()).set(ids[i]);
      }
    }
  }

  int[] sample(long logits, Ids ids, StepTables tables) {
    if (draws.size() != tables.liveOutputs()) {
      throw new IllegalArgumentException("sample: the batch has no draws");
    }
    int[] tokens = new int[tables.liveOutputs()];
    float[] row = new float[ids.limit()];
    for (int i = 0; i < tokens.length; i++) {
      downloads.download(logits + 4L * i * ids.width(), DType.F32, row, 0, row.length);
      BitSet said = seen.getOrDefault(tables.contexts().get(i), new BitSet());
      tokens[i] = Sampler.next(row, ids.unused(), said, draws.get(i));
    }
    return tokens;
  }
}
