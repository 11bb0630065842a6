// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code flink run} with wrong jars: refused before a cluster is asked for. */
class StartRefusedITCase {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir private Path dir;
  private FlinkHome home;

  @BeforeEach
  void install() throws Exception {
    home = new FlinkHome(dir, Map.of(), List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
  }

  private String refused(Path jar) throws Exception {
    List<String> line =
        List.of("run", "-d", "-c", FlinkHome.MAIN, jar.toString(), "--brokers", "localhost:1");
    try (JvmProcess client =
        new JvmProcess("client", dir, () -> home.client(line), home.environment())) {
      client.start();
      Await.until("the end of flink run", LIMIT, () -> !client.isAlive(), () -> client.tail(40));
      String said = Files.readString(client.log());
      assertThat(client.exitValue()).as(said).isNotZero();
      return said;
    }
  }

  @Test
  void withoutARuntimeBesideFlink() throws Exception {
    home.install(dir.resolve("nothing.jar"));

    assertThat(refused(FlinkHome.JOB))
        .contains("the job cannot start: everwatch-runtime.jar is not on the class path")
        .contains("Flink's lib folder");
  }

  @Test
  void withASecondRuntimeInTheJobsJar() throws Exception {
    assertThat(refused(FlinkHome.ALL))
        .contains("on the class path 2 times", FlinkHome.ALL.toString(), "everwatch-runtime.jar")
        .doesNotContain("no Kafka broker");
  }
}
