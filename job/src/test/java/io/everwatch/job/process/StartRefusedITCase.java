// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.EmbeddedBroker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code flink run} of what cannot work is refused, and says what to do. */
class StartRefusedITCase {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  @TempDir private Path dir;
  private int restPort;
  private Map<String, String> settings = Map.of();
  private FlinkHome home;

  @BeforeEach
  void install() throws Exception {
    try (ServerSocket rest = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ServerSocket rpc = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      restPort = rest.getLocalPort();
      settings =
          Map.of(
              "rest.port", "" + restPort,
              "rest.bind-port", "" + restPort,
              "jobmanager.rpc.port", "" + rpc.getLocalPort(),
              "jobmanager.memory.process.size", "700m");
    }
    home = home("client");
  }

  private FlinkHome home(String name) throws IOException {
    return new FlinkHome(
        dir.resolve(name), settings, List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
  }

  /** What {@code flink run} says, which must fail. */
  private String refused(Path jar, String... arguments) throws Exception {
    return run(false, jar, arguments);
  }

  private String run(boolean taken, Path jar, String... arguments) throws Exception {
    List<String> line = new ArrayList<>(List.of("run", "-d", "-c", FlinkHome.MAIN));
    line.add(jar.toString());
    line.addAll(List.of(arguments));
    try (JvmProcess client =
        new JvmProcess("flink-run", dir, () -> home.client(line), home.environment())) {
      client.start();
      Await.until("the end of flink run", LIMIT, () -> !client.isAlive(), () -> client.tail(40));
      String said = Files.readString(client.log());
      assertThat(client.exitValue() == 0).as(said).isEqualTo(taken);
      return said;
    }
  }

  @Test
  void withoutARuntimeWhereItIsSubmitted() throws Exception {
    home.install(dir.resolve("nothing.jar"), FlinkHome.JOB);

    assertThat(refused(FlinkHome.JOB, "--brokers", "localhost:1"))
        .contains("the job cannot start: everwatch-runtime.jar is not on the class path")
        .contains("Flink's lib folder");
  }

  @Test
  void withASecondRuntimeInTheJobsJar() throws Exception {
    assertThat(refused(FlinkHome.ALL, "--brokers", "localhost:1"))
        .contains("on the class path 2 times", FlinkHome.ALL.toString(), "everwatch-runtime.jar")
        .doesNotContain("no Kafka broker");
  }

  @Test
  void withoutItsTopics() throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(dir.resolve("kafka"))) {
      assertThat(refused(FlinkHome.JOB, "--brokers", broker.address()))
          .contains("the job cannot start: no topic commands, frames, frames.dlq, text at")
          .contains("everwatch topics --brokers " + broker.address());
    }
  }

  @Test
  void withoutARuntimeOnTheJobManager() throws Exception {
    FlinkHome cluster = home("cluster");
    cluster.install(dir.resolve("nothing.jar"), FlinkHome.JOB);
    FlinkRest rest = new FlinkRest(restPort);
    try (JvmProcess jobManager =
        new JvmProcess("jobmanager", dir, cluster::sessionJobManager, cluster.environment())) {
      jobManager.start();
      Await.until(
          "the JobManager's answer",
          LIMIT,
          () -> rest.taskManagers() == 0,
          () -> jobManager.tail(40));

      assertThat(refused(FlinkHome.JOB, "--brokers", "localhost:1", "--preflight", "false"))
          .contains("the job cannot start: the JobManager cannot load classes of the runtime")
          .contains("Flink's lib folder");
    }
  }

  /** Flink loads the classes of a job before anything of ours could look for them. */
  @Test
  void aTaskManagerWithoutARuntimeIsSeenInTheJobsException() throws Exception {
    FlinkHome without = home("without");
    without.install(dir.resolve("nothing.jar"), FlinkHome.JOB);
    FlinkRest rest = new FlinkRest(restPort);
    try (JvmProcess jobManager =
            new JvmProcess("jobmanager", dir, home::sessionJobManager, home.environment());
        JvmProcess taskManager =
            new JvmProcess(
                "taskmanager",
                dir,
                () -> without.taskManager("tm", Cluster.at(dir)),
                without.environment())) {
      jobManager.start();
      taskManager.start();
      Await.until(
          "the TaskManager's registration",
          LIMIT,
          () -> rest.taskManagers() == 1,
          () -> taskManager.tail(40));
      run(true, FlinkHome.JOB, "--brokers", "localhost:1", "--preflight", "false");
      String job = rest.jobs().keySet().iterator().next();

      Await.until(
          "the job's exception",
          LIMIT,
          () ->
              rest.get("/jobs/" + job + "/exceptions")
                  .toString()
                  .contains("ClassNotFoundException: io.everwatch."),
          () -> jobManager.tail(40));
    }
  }
}
