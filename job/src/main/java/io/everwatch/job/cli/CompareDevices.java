// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.offline.DeviceComparison;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.engine.EngineOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One device held against another on roads: a JSON object for each. */
final class CompareDevices {
  private static final long PROGRESS_SECONDS = 60;

  private final EngineOptions options;
  private final PrintWriter out;
  private final PrintWriter err;

  CompareDevices(EngineOptions options, PrintWriter out, PrintWriter err) {
    this.options = options;
    this.out = out;
    this.err = err;
  }

  /**
   * Whether all is as expected.
   *
   * @param type in which the other device computes; null: its own
   */
  boolean run(DeviceName compared, @Nullable DType type, List<RoadScene> scenes, long minutes)
      throws IOException, InterruptedException {
    BackendOptions first =
        new BackendOptions(
            options.threads(), options.plainProducts(), Optional.ofNullable(options.dtype()), 0);
    BackendOptions second =
        new BackendOptions(options.threads(), false, Optional.ofNullable(type), 0);
    boolean well = true;
    try (DeviceComparison comparison =
        new DeviceComparison(
            options.model(), options.device(), first, compared, second, options.overrides())) {
      for (RoadScene road : scenes) {
        DeviceComparison.Outcome outcome =
            comparison.run(
                road,
                minutes * 60,
                seconds -> {
                  if (seconds % PROGRESS_SECONDS == 0) {
                    err.println("minute %d of %d".formatted(seconds / PROGRESS_SECONDS, minutes));
                    err.flush();
                  }
                });
        well &= outcome.asExpected();
        out.println(json(road, outcome));
        out.flush();
      }
    }
    return well;
  }

  private static ObjectNode json(RoadScene road, DeviceComparison.Outcome outcome) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("seed", road.seed())
        .put("turns", outcome.turns())
        .put("equalTurns", outcome.equalTurns())
        .put("nearTies", outcome.nearTies())
        .put("tokens", outcome.tokens())
        .put("otherTokens", outcome.otherTokens())
        .put("widestMargin", outcome.widestMargin())
        .put("logitsRms", outcome.rms())
        .put("reference", outcome.referenceNumerics())
        .put("compared", outcome.otherNumerics())
        .put("asExpected", outcome.asExpected());
  }
}
