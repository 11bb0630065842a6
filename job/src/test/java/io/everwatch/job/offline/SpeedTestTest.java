// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SpeedTestTest {
  private static final SpeedTest.Stream STREAM =
      new SpeedTest.Stream(
          FakeEngine.SETTINGS,
          IntStream.range(0, 7)
              .mapToObj(i -> new EncodedFrame(Encoding.PNG, 1, 1, new byte[] {(byte) i}))
              .toList());

  @Test
  void measuresAfterTheWarmUpOnly() throws Exception {
    AtomicLong clock = new AtomicLong();
    try (FakeEngine engine = new FakeEngine(FakeEngine.MUTE)) {
      // each look at the clock is 5 ms later
      SpeedTest test = new SpeedTest(engine, () -> clock.addAndGet(5_000_000));
      SpeedTest.Measured measured = test.run(List.of(STREAM), 10, Duration.ofMillis(500));
      assertThat(measured.before().rounds()).isEqualTo(10);
      assertThat(measured.nanos()).isGreaterThanOrEqualTo(500_000_000L);
      assertThat(measured.latencies()).hasSize((int) measured.chunks());
      assertThat(measured.chunksPerSecond()).isEqualTo(measured.chunks() * 1e9 / measured.nanos());
      assertThat(measured.millisPerToken()).isEqualTo(2);
      assertThat(measured.stages().vision()).isEqualTo(measured.chunks() * 2_000_000);
      assertThat(measured.latencyMillis(0.5)).isEqualTo(5);
    }
  }

  @Test
  void everyStreamIsWarmBeforeTheClockStarts() throws Exception {
    try (FakeEngine engine = new FakeEngine(FakeEngine.MUTE)) {
      SpeedTest.Measured measured =
          new SpeedTest(engine).run(List.of(STREAM, STREAM, STREAM), 8, Duration.ofMillis(1));
      assertThat(measured.before().rounds()).isGreaterThanOrEqualTo(24);
      assertThat(measured.chunks()).isPositive();
    }
  }

  @Test
  void framesArePlayedRoundAndRoundInWholeChunks() throws Exception {
    List<Integer> played = new ArrayList<>();
    try (FakeEngine engine =
        new FakeEngine(
            (session, input) -> {
              input.frames().forEach(frame -> played.add((int) frame.bytes()[0]));
              return FakeEngine.says("");
            })) {
      new SpeedTest(engine).run(List.of(STREAM), 4, Duration.ofNanos(1));
    }
    assertThat(played).startsWith(0, 1, 2, 3, 4, 5, 0, 1, 2);
  }

  @Test
  void aFailedRoundSpoilsTheMeasurement() {
    try (FakeEngine engine = new FakeEngine((session, input) -> new Failed("no memory"))) {
      assertThatThrownBy(() -> new SpeedTest(engine).run(List.of(STREAM), 4, Duration.ofMillis(1)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("round 0 of bench-0 failed: no memory");
    }
  }

  @Test
  void needsTheFramesOfAChunk() {
    assertThatThrownBy(() -> new SpeedTest.Stream(FakeEngine.SETTINGS, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0 frames");
  }
}
