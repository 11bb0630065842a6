// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.chaos.KillLedger.Outcome;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The short form of {@link KillCampaign}; the long one is a program. */
class KillCampaignITCase {
  private static final long SEED = 20;
  private static final int CAMERAS = 3;

  @TempDir private Path dir;

  @Test
  void killedProcessesChangeNoByteOfTheText() throws Exception {
    KillCampaign campaign =
        new KillCampaign(
            SEED,
            KillPlan.of(SEED, KillPlan.Target.values().length, /* doubles= */ false),
            CAMERAS,
            dir,
            line -> {});

    Outcome outcome = campaign.run();

    assertThat(outcome.events()).as("seed %d", SEED).isGreaterThan(CAMERAS * 10L);
    assertThat(outcome.good())
        .as("seed %d: %s %s", SEED, outcome.line(), campaign.ledger().rows(outcome))
        .isTrue();
  }
}
