// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.config.EverwatchConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The entry on a cluster. */
class EverwatchJobTest {
  @ParameterizedTest
  @CsvSource({
    "exactly-once, 2 s, 1 s later on average",
    "exactly-once, 10 s, 5 s later on average",
    "at-least-once, 2 s, as soon as it is said (delivery at-least-once)"
  })
  void logsWhatItsSettingsMeanForReaders(String delivery, String interval, String expected) {
    EverwatchConfig config =
        EverwatchJob.configuration(
            new String[] {
              "--brokers", "a:1", "--delivery", delivery, "--checkpoint.interval", interval
            });

    assertThat(EverwatchJob.report(config))
        .anySatisfy(line -> assertThat(line).contains(expected))
        .anySatisfy(line -> assertThat(line).contains("checkpoint.interval", interval));
  }
}
