// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/**
 * In the place of an operator's own decisions, those that it took in an earlier run (architecture
 * §5): with them and the same records in the same order it says the same of one stream. Travels
 * with a replay.
 *
 * @param key of the stream; others are left as they lie in the state
 * @param skips of chunks under overload, in order
 * @param merges of chunks that were understood together
 */
public record RecordedDecisions(StreamKey key, List<Skip> skips, List<MergedChunks> merges)
    implements OverloadDecisions {
  /** Consecutive chunks that were skipped, as their event says. */
  public record Skip(long firstChunk, long lastChunk, String reason) implements Serializable {
    private boolean covers(long chunk) {
      return firstChunk <= chunk && chunk <= lastChunk;
    }
  }

  public RecordedDecisions {
    skips = List.copyOf(skips);
    merges = List.copyOf(merges);
  }

  @Override
  public Optional<String> skip(Candidate candidate) {
    return skips.stream()
        .filter(skip -> skip.covers(candidate.chunk()))
        .map(Skip::reason)
        .findFirst();
  }

  @Override
  public long through(List<Candidate> chunks) {
    long chunk = chunks.get(0).chunk();
    return merges.stream()
        .filter(merge -> merge.first() == chunk)
        .mapToLong(MergedChunks::last)
        .findFirst()
        .orElse(chunk);
  }
}
