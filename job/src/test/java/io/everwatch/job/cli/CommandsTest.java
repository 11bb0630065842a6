// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.config.ConfigReference;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandsTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int everwatch(String... args) {
    return Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(args);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "demo --cameras 0",
        "demo --cameras many",
        "demo --duration soon",
        "demo --no-such-option",
        "watch",
        "watch --brokers a:1 --format webvtt",
        "watch --brokers a:1 --until-ended",
        "watch --brokers a:1 --format pdf",
        "audit",
        "audit --brokers a:1 --frame",
        "topics --brokers a:1 --partitions 0",
        "topics --brokers a:1 --max-frame big",
        "broker --port 1",
        "doctor --brokres a:1",
        "nonsense"
      })
  void aWrongCommandLineIsRefusedBeforeAnythingStarts(String line) {
    assertThat(everwatch(line.split(" "))).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).startsWith("everwatch: ").doesNotContain("\tat ");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void runNamesEveryProblemOfItsConfiguration() {
    assertThat(everwatch("run", "--checkpont.interval", "5s", "--parallelism", "0"))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString())
        .contains("2 problems", "did you mean 'checkpoint.interval'", "parallelism is '0'");
  }

  @Test
  void runRefusesSettingsThatTheModelDoesNotKnow() {
    assertThat(everwatch("run", "--brokers", "localhost:1", "--streaming.text_windw", "5"))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("text_windw").doesNotContain("no Kafka broker");
  }

  @Test
  void theReferenceIsPrinted() {
    assertThat(everwatch("run", "--print-config-reference")).isEqualTo(ExitCodes.OK);
    assertThat(out.toString()).isEqualTo(ConfigReference.markdown());
  }

  @Test
  void anUnreachableBrokerIsNamedByEveryCommandThatNeedsIt() throws Exception {
    int nobody;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = socket.getLocalPort();
    }
    String address = "localhost:" + nobody;
    assertThat(everwatch("watch", "--brokers", address, "--connect-timeout", "1s"))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(everwatch("topics", "--brokers", address, "--connect-timeout", "1s"))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(everwatch("audit", "--brokers", address, "--connect-timeout", "1s"))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(everwatch("run", "--brokers", address, "--connect-timeout", "1s"))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(everwatch("doctor", "--brokers", address)).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString().lines().filter(line -> line.contains(address))).hasSize(4);
    assertThat(out.toString()).contains("FAIL kafka");
  }

  @Test
  void doctorPrintsTheModelsSettingsWithTheirOrigin() {
    assertThat(everwatch("doctor", "--streaming", "text_window=192")).isEqualTo(ExitCodes.OK);
    assertThat(out.toString())
        .containsPattern("text_window +192 +job configuration")
        .containsPattern("fps +2 +streaming.json")
        .contains("oneDNN");
  }

  @Test
  void doctorFailsWhenTheModelIsMissing() {
    assertThat(everwatch("doctor", "--model", "no-such-model")).isEqualTo(ExitCodes.FAILURE);
    assertThat(out.toString()).contains("FAIL model", "no-such-model");
  }
}
