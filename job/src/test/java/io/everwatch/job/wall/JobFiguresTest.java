// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.DeadLetter;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class JobFiguresTest {
  private final AtomicLong clock = new AtomicLong(1_000_000_000L);
  private final JobFigures figures = new JobFigures(clock::get);

  @Test
  void percentilesAreATenthTooLargeAtMost() {
    LagHistogram lags = new LagHistogram();
    for (int i = 1; i <= 10_000; i++) {
      lags.add(i);
    }

    for (int percent : new int[] {1, 50, 95, 99}) {
      assertThat(lags.percentile(percent))
          .as("p%d", percent)
          .isBetween(percent * 100L, percent * 110L + 1);
    }
    assertThat(lags.upTo(1_000)).isCloseTo(1_000, Percentage.withPercentage(10));
    assertThat(new LagHistogram().percentile(50)).isEqualTo(-1);
  }

  @Test
  void lagsBeyondTheLastBucketAndNegativeOnesCount() {
    LagHistogram lags = new LagHistogram();
    lags.add(Long.MAX_VALUE);
    lags.add(-5);

    assertThat(lags.total()).isEqualTo(2);
    assertThat(lags.percentile(99)).isGreaterThan(3_000_000);
  }

  @Test
  void ratesAreThoseOfTheLastFullSlots() {
    for (int second = 0; second < 30; second++) {
      figures.said(clock.get(), 100);
      figures.said(clock.get(), 100);
      figures.frame(1_000);
      clock.addAndGet(1_000);
    }

    JobFigures.Snapshot snapshot = figures.snapshot();
    assertThat(snapshot.textsPerSecond()).isEqualTo(2);
    assertThat(snapshot.framesPerSecond()).isEqualTo(1);
    assertThat(snapshot.bytesPerSecond()).isEqualTo(1_000);
    assertThat(snapshot.slots()).hasSize(6);
  }

  @Test
  void aLongSleepLeavesNothingOldAndNothingThatGrows() {
    figures.said(clock.get(), 100);
    clock.addAndGet(100_000_000);
    figures.said(clock.get() - 90_000_000, 100);
    figures.said(clock.get(), 100);

    assertThat(figures.snapshot().lags().total()).isEqualTo(1);
  }

  @Test
  void deadLettersAreCountedByReasonAndReasonsAreBounded() {
    for (int i = 0; i < 100; i++) {
      figures.deadLetter(letter("REASON_" + i, "x".repeat(5_000)), 7);
    }
    figures.deadLetter(letter("REASON_1", "again"), 8);

    JobFigures.Snapshot snapshot = figures.snapshot();
    assertThat(snapshot.deadLetters()).isEqualTo(101);
    assertThat(snapshot.reasons()).hasSize(33);
    assertThat(snapshot.reasons().get(1))
        .isEqualTo(new JobFigures.Reason("REASON_1", 2, 8, "again", "gate"));
    assertThat(snapshot.reasons().get(0).lastDetail()).hasSize(500);
  }

  private static DeadLetter letter(String reason, String detail) {
    return WireFormat.newDeadLetter()
        .setTopic("frames")
        .setPartition(0)
        .setOffset(1)
        .setReason(reason)
        .setDetail(detail)
        .setStreamId("gate")
        .build();
  }
}
