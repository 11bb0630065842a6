// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.engine.FakeEngines;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an operator leaves that is closed, whenever that is. */
@Timeout(60)
class ClosingTest {
  private final FakeEngines fake = FakeEngines.start();

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void closesInTheMiddleOfAStepAndLeavesNothing() throws Exception {
    Bench bench = new Bench(fake.engine(), Bench.PATIENT);
    fake.hold();
    Camera camera = new Camera("a");
    bench.offer(camera.frame());
    bench.offer(camera.frame());
    Thread closing = new Thread(() -> closeQuietly(bench), "closing");
    closing.start();
    fake.letAllGo();
    closing.join(30_000);

    assertThat(closing.isAlive()).isFalse();
    assertThat(bench.events()).isEmpty();
    assertThat(fake.rowsUsed()).isZero();
  }

  @Test
  void ignoresAnAnswerThatIsRunAfterClose() throws Exception {
    Bench bench = new Bench(fake.engine(), Bench.PATIENT);
    Camera camera = new Camera("a");
    bench.offer(camera.frame());
    bench.offer(camera.frame());
    var late = bench.mailbox().take(0); // the answer's mail, not run yet
    bench.close();

    late.run();

    assertThat(bench.events()).isEmpty();
  }

  @Test
  void closesAfterAFailedOpen() throws Exception {
    KeyedOneInputStreamOperatorTestHarness<StreamKey, FrameRecord, TextRecord> harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new UnderstandOperatorFactory(
                gpus -> {
                  throw new IllegalArgumentException("no such model");
                },
                Bench.PATIENT,
                SpreadRegistry.NONE),
            FrameRecord::key,
            StreamKey.TYPE);

    assertThatThrownBy(harness::open).hasStackTraceContaining("no such model");
    harness.close();
  }

  private static void closeQuietly(Bench bench) {
    try {
      bench.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
