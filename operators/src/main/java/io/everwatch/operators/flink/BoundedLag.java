// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A chunk of a live stream is skipped when its text would come later than {@code maxLag} after its
 * last frame, or when there is no room. Of each stream the newest chunk is spared: it is understood
 * however long rounds take, unless it is too old when it comes; and even then when nothing of the
 * stream was understood for {@code maxLag}, so that a job whose input lags goes on speaking.
 *
 * <p>Of a merging stream as many chunks are understood together as are further behind than {@code
 * maxLag}, {@code mergeChunks} at most, and never the newest: what is in time has its own words.
 */
record BoundedLag(Duration maxLag, int mergeChunks) implements OverloadDecisions {
  @Override
  public Optional<String> skip(Candidate candidate) {
    long bound = maxLag.toMillis();
    boolean late =
        candidate.newest()
            ? candidate.lagMillis() > bound && candidate.silentMillis() <= bound
            : candidate.lagMillis() + candidate.roundMillis() > bound;
    return skipIf(late, candidate);
  }

  @Override
  public Optional<String> skipForRoom(Candidate candidate) {
    return skipIf(!candidate.newest() || candidate.silentMillis() <= maxLag.toMillis(), candidate);
  }

  @Override
  public long through(List<Candidate> chunks) {
    long last = chunks.get(0).chunk();
    for (Candidate one : chunks.subList(0, Math.min(mergeChunks, chunks.size()))) {
      if (one.mode() != OverloadMode.MERGE
          || one.newest()
          || one.lagMillis() <= maxLag.toMillis()) {
        break;
      }
      last = one.chunk();
    }
    return last;
  }

  /** One reason for all, so that a run of them is one event. */
  private Optional<String> skipIf(boolean wanted, Candidate candidate) {
    return wanted && candidate.mode() == OverloadMode.LIVE
        ? Optional.of("overload: more than is understood within %d ms".formatted(maxLag.toMillis()))
        : Optional.empty();
  }
}
