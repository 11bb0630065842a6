// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.cuda.Emulation;
import io.everwatch.kernels.cuda.EnabledOnEmulation;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What engines take of a GPU, what they give back, and when; as the stand-in driver counts it. */
@Timeout(300)
@EnabledOnEmulation
class GpuMemoryTest {
  /** Its parameters in bf16, and the memory that is taken at once for them. */
  private static final int WEIGHT_BYTES = 835_000;

  private static final long WEIGHT_SLAB = 16 << 20;

  private static EngineOptions.Builder options() {
    return Company.onGpu().batchRows(256);
  }

  /** An engine of its own leaves nothing, not even the weights of those before. */
  @AfterEach
  void leavesNothing() {
    Emulation.reset();
    Engines.open(options().build()).close();
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }

  @Test
  void jobsThatStartAgainAndAgainFindTheWeightsAndFreeTheirRows() throws Exception {
    long[] pools = {16 << 20, 2 << 20, 48 << 20, 5 << 20};
    int leaked = Emulation.leaked(0);
    Map<String, Company.Run> expected = Map.of();
    Emulation.Live atRest = Emulation.Live.NONE;
    long bytesAtRest = 0;
    for (int job = 0; job < 3 * pools.length; job++) {
      long pool = pools[job % pools.length];
      String what = "job %d with %,d bytes for rows".formatted(job, pool);
      Emulation.Counts before = Emulation.counts(0);
      try (Engine engine = Engines.shared(options().kvBytes(pool).build())) {
        int uploaded = Emulation.counts(0).since(before).uploadBytes();
        assertThat(uploaded >= WEIGHT_BYTES)
            .as("%s uploaded %,d bytes: the weights", what, uploaded)
            .isEqualTo(job == 0);
        assertThat(Emulation.bytes(0) - bytesAtRest).as(what).isGreaterThan(pool * 9 / 10);
        Map<String, Company.Run> runs = Company.run(engine, 0, 2, 2, 1);
        if (job == 0) {
          expected = runs;
        }
        expected.forEach((name, run) -> run.requireSame(TestEngine.of(runs, name), what));
      }
      if (job == 0) {
        atRest = Emulation.live(0);
        bytesAtRest = Emulation.bytes(0);
        assertThat(atRest.graphs()).as("passes over rows that are gone").isZero();
        assertThat(bytesAtRest).isBetween(WEIGHT_SLAB, WEIGHT_SLAB + (2 << 20));
      }
      assertThat(Emulation.live(0)).as("left by %s", what).isEqualTo(atRest);
      assertThat(Emulation.bytes(0)).as("left by %s", what).isEqualTo(bytesAtRest);
    }
    assertThat(Emulation.leaked(0)).isEqualTo(leaked);
  }

  @Test
  void aJobThatAsksForMoreThanThereIsLeavesRoomForTheNext() throws Exception {
    Emulation.set("memory=256m");
    Engines.shared(options().build()).close();
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> Engines.shared(options().kvBytes(1L << 30).build()))
        .satisfies(e -> assertThat(e.failure()).isEqualTo(Failure.REFUSED));
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
    try (Engine next = Engines.shared(options().build())) {
      assertThat(Company.run(next, 0, 1, 1, 1)).hasSize(1);
    }
  }

  /** Weights, rows, tables and step memory are taken once; a token takes nothing any more. */
  @Test
  void aStreamThatHasBeenSpeakingForAWhileTakesNoMemoryOfTheDevice() throws Exception {
    try (Engine engine = Engines.open(options().build())) {
      Company.run(engine, 3, 4, 8, 1);
      long tokens = engine.metrics().tokens();
      int before = Emulation.allocations(0);
      Company.run(engine, 3, 4, 8, 1);
      assertThat(engine.metrics().tokens() - tokens).isGreaterThan(8);
      assertThat(Emulation.allocations(0) - before).isZero();
    }
  }

  @Test
  void aModelThatDoesNotFitSaysWhatWould() {
    Emulation.set("memory=64m");
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(
            () ->
                Engines.open(EngineOptions.builder("random:qwen2.5-vl-7b").device("cuda").build()))
        .satisfies(e -> assertThat(e.failure()).isEqualTo(Failure.REFUSED))
        .withMessageContaining("random:qwen2.5-vl-7b does not fit on cuda")
        .withMessageContaining("16,584,333,312 bytes in BF16")
        .withMessageContaining("57,344 bytes for each cached row")
        .withMessageMatching("(?s).*up to 0\\.0[123] billion weights would fit.*");
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }

  @Test
  void takesForRowsWhatTheDeviceHasLeft() {
    Emulation.set("memory=256m");
    try (Engine engine = Engines.open(options().kvBytes(0).build())) {
      // 256 MiB less weights, step memory and a reserve, at 768 bytes a row and its working copy.
      assertThat(engine.metrics().rowsLimit()).isBetween(50_000, 250_000);
    }
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }

  @Test
  void whoFindsTheDeviceTakenIsToldWhoHasItAndBothRunWithAShareEach() {
    Emulation.set("memory=256m");
    EngineOptions.Builder all = options().kvBytes(0).batchRows(2048);
    EngineOptions.Builder other = options().kvBytes(0);
    try (Engine first = Engines.shared(all.build())) {
      assertThatExceptionOfType(DeviceException.class)
          .isThrownBy(() -> Engines.shared(other.build()).close())
          .satisfies(e -> assertThat(e.failure()).isEqualTo(Failure.REFUSED))
          .withMessageContaining("there is no room for cached rows: one takes 768 bytes")
          .withMessageContaining("on cuda other jobs of this process have engines, 1 of them with")
          .withMessageContaining("give each job its share with engine.kv-memory");
      assertThat(first.metrics().rowsLimit()).isPositive();
    }
    try (Engine first = Engines.shared(all.kvBytes(16 << 20).build());
        Engine second = Engines.shared(other.kvBytes(16 << 20).build())) {
      assertThat(first.metrics().rowsLimit()).isEqualTo(second.metrics().rowsLimit());
    }
  }
}
