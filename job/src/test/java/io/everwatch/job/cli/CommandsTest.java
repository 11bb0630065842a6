// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.camera.RoadSceneSource;
import io.everwatch.job.config.ConfigReference;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.scene.RoadScene;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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
        "demo --duration 0",
        "demo --duration PT-5S",
        "demo --duration 99999999999999999h",
        "demo --duration 3000000h",
        "demo --checkpoint-interval often",
        "demo --ui 70000",
        "camera --input scene:road --stream a --brokers a:1 --connect-timeout 1000000h",
        "camera --input scene:road --stream a --brokers a:1 --start +1000000000-01-01T00:00:00Z",
        "camera --input scene:road?colour=red --stream a --brokers a:1",
        "demo --no-such-option",
        "demo --wall-port 70000",
        "serve",
        "serve --brokers a:1 --listen here",
        "serve --brokers a:1 --listen localhost:70000",
        "serve --brokers a:1 --listen 0.0.0.0:8780",
        "serve --brokers a:1 --listen 0.0.0.0:8780 --token-file token",
        "serve --brokers a:1 --listen 0.0.0.0:8780 --behind-proxy",
        "serve --brokers a:1 --tls-key key.pem",
        "serve --brokers a:1 --max-clients 0",
        "serve --brokers a:1 --flink ftp://jobmanager",
        "serve --brokers a:1 --history 0",
        "watch",
        "watch --brokers a:1 --format webvtt",
        "watch --brokers a:1 --format srt --stream a --stream b",
        "watch --brokers a:1 --until-ended",
        "export --brokers a:1",
        "export --brokers a:1 --stream a --stream b --format srt --output file.srt",
        "export --brokers a:1 --stream a --format pdf",
        "export --brokers a:1 --stream a --from yesterday",
        "export --brokers a:1 --stream a --from 2026-11-20T09:00:00",
        "export --brokers a:1 --stream a --from 2026-11-20T09:00:00Z --to 2026-11-20T09:00:00Z",
        "watch --brokers a:1 --format pdf",
        "audit",
        "audit --brokers a:1 --frame",
        "topics --brokers a:1 --partitions 0",
        "topics --brokers a:1 --max-frame big",
        "topics --brokers a:1 --max-frame 3GiB",
        "topics --brokers a:1 --max-frame 99999999999999999999",
        "broker --port 1",
        "broker --dir target/none --port 70000",
        "broker --dir target/none --port 0",
        "command --brokers a:1 stop",
        "command --brokers a:1 --stream s",
        "command --brokers a:1 --stream s jump",
        "command --brokers a:1 --stream s prompt",
        "command --brokers a:1 --stream s set",
        "command --brokers a:1 --stream s set temperature",
        "command --brokers a:1 --stream s set seed=1 seed=2",
        "command --brokers a:1 --stream s stop now",
        "doctor --brokres a:1",
        "nonsense"
      })
  void aWrongCommandLineIsRefusedBeforeAnythingStarts(String line) {
    assertThat(everwatch(line.split(" "))).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString())
        .startsWith("everwatch: ")
        .doesNotContain("\tat ", "overflow", "For input string");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void aTokenThatCanBeGuessedIsRefused(@TempDir Path dir) throws IOException {
    Path file = Files.writeString(dir.resolve("token"), "secret\n");

    assertThat(everwatch("serve", "--brokers", "a:1", "--token-file", file.toString()))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains(file.toString(), "6 characters", "at least 16");
    assertThat(err.toString().replace(file.toString(), "")).doesNotContain("secret");
  }

  @Test
  void aStreamNeedsAName() {
    String[] camera = {"camera", "--input", "scene:road", "--brokers", "a:1", "--stream", " "};
    assertThat(everwatch(camera)).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("--stream is blank");
  }

  @Test
  void aPathThatIsMissingIsMoreThanItsName() {
    assertThat(
            everwatch("evaluate --minutes 1 --seed 1 --transcript /no/such/folder/file".split(" ")))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("there is no /no/such/folder/file; expected", "check");
  }

  @Test
  void captionEndsWhenNobodyReadsOn(@TempDir Path folder) throws Exception {
    try (RoadSceneSource road = new RoadSceneSource(RoadScene.ofSeed(1))) {
      for (int i = 10; i < 30; i++) {
        Files.write(folder.resolve(i + ".png"), road.next().orElseThrow().picture().bytes());
      }
    }
    Writer gone =
        new Writer() {
          @Override
          public void write(char[] text, int from, int count) throws IOException {
            throw new IOException("Broken pipe");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };

    int status =
        Everwatch.commandLine()
            .setOut(new PrintWriter(gone))
            .setErr(new PrintWriter(err))
            .execute("caption", folder.toString());

    assertThat(status).isEqualTo(ExitCodes.OK);
    assertThat(err.toString()).as("the summary of a whole file").doesNotContain("chunks");
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
  void runSaysWhenTextIsSeenBeforeAnythingStarts() {
    everwatch("run", "--brokers", "localhost:1", "--connect-timeout", "1s");

    assertThat(out.toString())
        .contains(EverwatchConfig.of("brokers", "localhost:1").latencyNote())
        .contains("5 s later on average");
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
