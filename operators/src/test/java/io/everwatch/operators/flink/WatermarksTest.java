// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.FakeEngines;
import java.util.List;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Watermarks and idleness leave when all that came before them has left. */
@Timeout(60)
class WatermarksTest {
  private final FakeEngines fake = FakeEngines.start();

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void sendsAWatermarkAfterAllThatCameBeforeIt() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      fake.hold();
      Camera camera = new Camera("a");
      bench.offer(camera.frame(), 400);
      bench.harness.processWatermark(new Watermark(900));
      bench.offer(camera.frame(), 1000);
      bench.harness.processWatermark(new Watermark(950));
      bench.harness.processWatermark(new Watermark(990));
      bench.offer(camera.frame(), 1001);
      bench.offer(camera.frame(), 1002);
      bench.harness.processWatermark(new Watermark(1000));
      bench.harness.processWatermarkStatus(WatermarkStatus.IDLE);
      assertThat(order(bench)).containsExactly("w900");

      fake.letAllGo();
      bench.settle();

      assertThat(order(bench)).containsExactly("w900", "r1000", "w990", "r1002", "w1000", "IDLE");
    }
  }

  @Test
  void keepsQuietAboutIdlenessThatEndedMeanwhile() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      fake.hold();
      Camera camera = new Camera("a");
      bench.offer(camera.frame(), 1);
      bench.offer(camera.frame(), 2);
      bench.harness.processWatermarkStatus(WatermarkStatus.IDLE);
      bench.harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
      fake.letAllGo();
      bench.settle();

      assertThat(order(bench)).containsExactly("r2");
    }
  }

  private static List<String> order(Bench bench) {
    return bench.harness.getOutput().stream()
        .map(
            element -> {
              if (element instanceof Watermark mark) {
                return "w" + mark.getTimestamp();
              }
              return element instanceof StreamRecord<?> record
                  ? "r" + record.getTimestamp()
                  : ((WatermarkStatus) element).isIdle() ? "IDLE" : "ACTIVE";
            })
        .toList();
  }
}
