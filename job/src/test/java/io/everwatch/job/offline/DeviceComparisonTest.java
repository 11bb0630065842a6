// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.scene.RoadScene;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceName;
import io.everwatch.kernels.cuda.RequiresDevice;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceComparisonTest {
  private static final DeviceName GPU = DeviceName.parse("cuda");

  /** The long form is a command, see docs/benchmarks/gpu-equality.md. */
  @ParameterizedTest
  @CsvSource({"F32, 1e-4", "BF16, 0.05"})
  @RequiresDevice
  void theGpuSaysOfTheRoadWhatTheCpuSays(DType type, double rms) {
    DeviceComparison.Outcome outcome = compare(GPU, BackendOptions.defaults().withDtype(type), 8);
    assertThat(outcome.turns()).isEqualTo(8);
    assertThat(outcome.tokens()).isGreaterThan(8);
    assertThat(outcome.equalTurns()).as(outcome.toString()).isEqualTo(8);
    assertThat(outcome.rms()).isBetween(0.0, rms);
    assertThat(outcome.type()).isEqualTo(type);
  }

  /** Another model on the other side, so that the comparison cannot but notice. */
  @Test
  void seesWhatDiffers() {
    DeviceComparison.Outcome same = compare(DeviceName.CPU, new BackendOptions(1, false), 3);
    assertThat(same.equalTurns()).isEqualTo(3);
    assertThat(same.rms()).isZero();
    assertThat(same.asExpected()).isTrue();

    DeviceComparison.Outcome one =
        new DeviceComparison.Outcome(100, 98, 1, 900, 5, 0.2, 0.01, DType.F32, "a", "b");
    assertThat(one.asExpected()).isFalse();
    assertThat(outcome(99, 1, DType.F32).asExpected()).isTrue();
    assertThat(outcome(99, 0, DType.BF16).asExpected()).isTrue();
    assertThat(outcome(98, 2, DType.BF16).asExpected()).isFalse();
  }

  private static DeviceComparison.Outcome outcome(long equal, long ties, DType type) {
    return new DeviceComparison.Outcome(100, equal, ties, 900, 1, 0.2, 0.01, type, "a", "b");
  }

  private static DeviceComparison.Outcome compare(
      DeviceName device, BackendOptions options, long seconds) {
    try (DeviceComparison comparison =
        new DeviceComparison(
            "everwatch-tiny",
            DeviceName.CPU,
            new BackendOptions(1, false),
            device,
            options,
            Map.of())) {
      return comparison.run(RoadScene.ofSeed(7), seconds, second -> {});
    }
  }
}
