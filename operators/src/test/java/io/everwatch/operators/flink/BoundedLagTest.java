// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.flink.OverloadDecisions.Candidate;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Of 5 s. */
class BoundedLagTest {
  private static final OverloadDecisions DECISIONS =
      OverloadDecisions.byLag(Duration.ofSeconds(5), 3);
  private static final boolean NEWEST = true;
  private static final boolean OLDER = false;

  @Test
  void anOlderChunkIsSkippedWhenItsTextWouldComeTooLate() {
    assertThat(skips(live(4000, 1000, OLDER, 0))).isFalse();
    assertThat(skips(live(4001, 1000, OLDER, 0))).isTrue();
    assertThat(skips(live(0, 5001, OLDER, 99_000))).isTrue();
  }

  @Test
  void theNewestIsUnderstoodHoweverLongRoundsTake() {
    assertThat(skips(live(5000, 60_000, NEWEST, 0))).isFalse();
  }

  @Test
  void theNewestIsSkippedWhenItAloneIsTooOldButNotForEver() {
    assertThat(skips(live(5001, 0, NEWEST, 5000))).isTrue();
    assertThat(skips(live(5001, 0, NEWEST, 5001))).isFalse();
  }

  @Test
  void theNewestMakesRoomOnlyWhenItsStreamHadTextLately() {
    assertThat(DECISIONS.skipForRoom(live(0, 0, OLDER, 99_000))).isPresent();
    assertThat(DECISIONS.skipForRoom(live(0, 0, NEWEST, 5000))).isPresent();
    assertThat(DECISIONS.skipForRoom(live(0, 0, NEWEST, 5001))).isEmpty();
  }

  @Test
  void blockSkipsNothing() {
    Candidate late = candidate(OverloadMode.BLOCK, 99_000, 99_000, OLDER, 0);
    assertThat(skips(late)).isFalse();
    assertThat(DECISIONS.skipForRoom(late)).isEmpty();
  }

  @Test
  void chunksFurtherBehindAreMergedUpToTheirNumber() {
    assertThat(through(merge(0, 5001, OLDER), merge(1, 5001, OLDER), merge(2, 5000, OLDER)))
        .isEqualTo(1);
    assertThat(
            through(
                merge(0, 9000, OLDER),
                merge(1, 8000, OLDER),
                merge(2, 7000, OLDER),
                merge(3, 6000, OLDER)))
        .isEqualTo(2);
    assertThat(through(merge(0, 5000, OLDER), merge(1, 5001, OLDER))).isZero();
  }

  @Test
  void theNewestStaysAlone() {
    assertThat(through(merge(0, 9000, OLDER), merge(1, 8000, NEWEST))).isZero();
    assertThat(through(merge(0, 9000, NEWEST))).isZero();
  }

  @Test
  void otherModesMergeNothingAndMergeSkipsNothing() {
    assertThat(through(live(9000, 0, OLDER, 0), live(9000, 0, OLDER, 0))).isEqualTo(7);
    assertThat(skips(merge(0, 99_000, OLDER))).isFalse();
    assertThat(DECISIONS.skipForRoom(merge(0, 99_000, OLDER))).isEmpty();
  }

  private static long through(Candidate... chunks) {
    return DECISIONS.through(List.of(chunks));
  }

  private static Candidate merge(long chunk, long lag, boolean newest) {
    return new Candidate(StreamKey.of("a"), chunk, OverloadMode.MERGE, lag, 99_000, newest, 0);
  }

  private static boolean skips(Candidate candidate) {
    return DECISIONS.skip(candidate).isPresent();
  }

  private static Candidate live(long lag, long round, boolean newest, long silent) {
    return candidate(OverloadMode.LIVE, lag, round, newest, silent);
  }

  private static Candidate candidate(
      OverloadMode mode, long lag, long round, boolean newest, long silent) {
    return new Candidate(StreamKey.of("a"), 7, mode, lag, round, newest, silent);
  }
}
