// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.artifacts;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.camera.FramePublisher;
import io.everwatch.job.camera.LimitedSource;
import io.everwatch.job.camera.Pace;
import io.everwatch.job.camera.RoadSceneSource;
import io.everwatch.job.process.FreePorts;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.TextReaderOptions.Reading;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code deploy/cluster.sh}: a session cluster with its metrics, then from its savepoint the same
 * job in application mode, whose JobManager is killed.
 */
class ClusterITCase {
  private static final int SECONDS = 4;
  private static final long START_MICROS = 1_767_225_600_000_000L;
  private static final Duration STEP = Duration.ofSeconds(90);

  private static final Pattern NAME = Pattern.compile("\\bflink_\\w+");

  @TempDir private Path dir;

  @Test
  void runsTheJobInBothModesOnProcessesOfTheirOwnAndLeavesNone() throws Exception {
    Map<String, String> environment = new HashMap<>();
    List<Integer> ports = FreePorts.find(5);
    String brokers = "localhost:" + ports.get(0);
    environment.put("EVERWATCH_CLUSTER_DIR", dir.resolve("cluster").toString());
    environment.put("EVERWATCH_BROKER_PORT", ports.get(0).toString());
    environment.put("EVERWATCH_REST_PORT", ports.get(1).toString());
    environment.put("EVERWATCH_RPC_PORT", ports.get(2).toString());
    List<Integer> metrics = ports.subList(3, 5); // of JobManager and TaskManager, who comes first
    environment.put("EVERWATCH_METRICS_PORTS", metrics.get(0) + "," + metrics.get(1));
    environment.put("JAVA_HOME", System.getProperty("java.home"));
    Path savepoints = dir.resolve("savepoints");
    List<Long> processes = new ArrayList<>();
    try {
      cluster(environment, "start");
      processes.addAll(processIds());
      assertThat(processes).hasSize(3);
      Processes.Finished refused = run(environment, "submit", "--model", "/no/such/model");
      assertThat(refused.status()).isEqualTo(1);
      assertThat(refused.err())
          .contains("failed: io.everwatch.operators.model.BadModelException")
          .contains("/no/such/model", "has ended");
      cluster(environment, "submit", "--checkpoint.interval", "1s", "--threads", "2");
      publish(brokers, "north");
      assertThat(committed(brokers, 1)).hasSize(SECONDS + 1);
      assertThat(exposed(metrics)).containsAll(asked("prometheus/alerts.yml"));
      assertThat(exposed(metrics)).containsAll(asked("grafana/everwatch.json"));
      cluster(environment, "status");
      cluster(environment, "stop-with-savepoint", savepoints.toString());
      cluster(environment, "stop");

      String[] application = {"start", "--application", "--taskmanagers", "2"};
      String[] job = {"--from", savepoint(savepoints), "--parallelism", "3", "--threads", "2"};
      cluster(environment, concat(application, concat(job, "--checkpoint.interval", "1s")));
      processes.addAll(processIds());
      assertThat(processes).hasSize(3 + 4);
      publish(brokers, "south");
      assertThat(committed(brokers, 2)).hasSize(2 * (SECONDS + 1));
      cluster(environment, "kill", "jobmanager");
      cluster(environment, "restart", "jobmanager");
      processes.addAll(processIds());
      publish(brokers, "east");
      assertThat(committed(brokers, 3)).hasSize(3 * (SECONDS + 1));
    } finally {
      Processes.run(dir, environment, STEP, script(), "stop");
    }
    assertThat(processes).noneMatch(id -> ProcessHandle.of(id).isPresent());
  }

  private void cluster(Map<String, String> environment, String... arguments) throws Exception {
    Processes.Finished finished = run(environment, arguments);
    assertThat(finished.status())
        .as("%s%n%s%n%s", List.of(arguments), finished.out(), finished.err())
        .isZero();
  }

  private Processes.Finished run(Map<String, String> environment, String... arguments)
      throws Exception {
    return Processes.run(dir, environment, STEP, concat(new String[] {script()}, arguments));
  }

  private static String[] concat(String[] first, String... second) {
    return Stream.of(first, second).flatMap(Stream::of).toArray(String[]::new);
  }

  private static String savepoint(Path directory) throws IOException {
    try (Stream<Path> found = Files.list(directory)) {
      return found.map(Path::toString).findFirst().orElseThrow();
    }
  }

  private static String script() {
    return Path.of("../deploy/cluster.sh").toAbsolutePath().normalize().toString();
  }

  private static void publish(String brokers, String stream) throws Exception {
    try (FramePublisher publisher =
            new FramePublisher(Map.of("bootstrap.servers", brokers), TopicNames.FRAMES);
        LimitedSource road =
            new LimitedSource(
                new RoadSceneSource(RoadScene.ofSeed(3)), Duration.ofSeconds(SECONDS))) {
      publisher.publish(stream, road, START_MICROS, Pace.fast());
    }
  }

  /** All that is committed, once so many streams have ended. */
  private static List<ReceivedText> committed(String brokers, int streams) {
    List<ReceivedText> texts = new ArrayList<>();
    Instant deadline = Instant.now().plus(STEP);
    try (TextEventReader reader =
        TextEventReader.open(
            TextReaderOptions.of(brokers, TopicNames.TEXT)
                .reading(Reading.COMMITTED)
                .start(new FromBeginning()))) {
      while (texts.stream().filter(text -> text.event().getKind() == TextKind.ENDED).count()
          < streams) {
        assertThat(Instant.now()).as("deadline; so far %s", texts).isBefore(deadline);
        texts.addAll(reader.poll(Duration.ofMillis(200)));
      }
    }
    return texts;
  }

  /** Names of all that the processes show to Prometheus. */
  private static Set<String> exposed(List<Integer> ports) throws Exception {
    Set<String> names = new HashSet<>();
    for (int port : ports) {
      String text =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/metrics"))
                      .build(),
                  BodyHandlers.ofString())
              .body();
      NAME.matcher(text).results().map(MatchResult::group).forEach(names::add);
    }
    return names;
  }

  /** Names that alert rules or dashboard ask for, Flink's own included. */
  private static Set<String> asked(String file) throws IOException {
    Set<String> names =
        NAME.matcher(Files.readString(Path.of("..", "deploy").resolve(file)))
            .results()
            .map(MatchResult::group)
            .collect(Collectors.toSet());
    assertThat(names).hasSizeGreaterThan(5);
    return names;
  }

  private List<Long> processIds() throws IOException {
    try (Stream<Path> files = Files.list(dir.resolve("cluster"))) {
      List<Long> ids = new ArrayList<>();
      for (Path file : files.filter(path -> path.toString().endsWith(".pid")).toList()) {
        ids.add(Long.valueOf(Files.readString(file).strip()));
      }
      return ids;
    }
  }
}
