// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.broker.Findings;
import io.everwatch.job.broker.Preflight;
import io.everwatch.job.broker.UnreachableBrokerException;
import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What would stop a job in hour three, found before it starts, all in one message. */
public final class StartChecks {
  private StartChecks() {}

  /**
   * Looks at the broker and at the checkpoint, unless the configuration says {@code preflight:
   * false}.
   *
   * @param restore checkpoint or savepoint to begin with
   * @param limit how long to wait for each answer of the broker
   * @return what who runs the job should know
   * @throws StartException naming every problem
   */
  public static List<String> require(
      EverwatchConfig config, Optional<String> restore, Duration limit) {
    if (!config.get(ConfigKeys.PREFLIGHT)) {
      return List.of("preflight is off: broker and checkpoint are not looked at before the start");
    }
    List<String> problems = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    try {
      Findings findings = Preflight.look(config, limit);
      problems.addAll(findings.problems());
      warnings.addAll(findings.warnings());
    } catch (UnreachableBrokerException e) {
      problems.add(String.valueOf(e.getMessage()));
    }
    restore.flatMap(CheckpointCheck::problem).ifPresent(problems::add);
    if (!problems.isEmpty()) {
      throw new StartException(problems);
    }
    return warnings;
  }
}
