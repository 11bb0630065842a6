// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.Brokers;
import io.everwatch.job.cli.Everwatch;
import io.everwatch.job.process.FreePorts;
import io.everwatch.job.process.JvmProcess;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The broker's process is killed under a running job and comes back on its directory. */
@Timeout(180)
class BrokerDeathITCase {
  private static final int SECONDS = 8;
  private static final int BEFORE = 4;

  @TempDir private Path dir;

  @Test
  void nothingIsLostNothingIsSaidTwiceAndTheJobRunsOn() throws Exception {
    List<String> whole;
    try (House house = new House(dir.resolve("whole"));
        RoadFrames road = new RoadFrames("north", 7, Encoding.PNG)) {
      send(house, road, SECONDS);
      house.send(0, road.end());
      try (LocalJob job = house.start(house.config(), Optional.empty())) {
        house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 1);
      }
      whole = EverwatchTopologyITCase.text(house.committedBytes("north"));
    }
    int port = FreePorts.find(1).get(0);
    try (JvmProcess broker = broker(port)) {
      broker.start();
      awaitBroker(port);
      try (House house = new House(dir.resolve("killed"), "localhost:" + port);
          RoadFrames road = new RoadFrames("north", 7, Encoding.PNG);
          LocalJob job = house.start(house.config(), Optional.empty());
          Restarts restarts = new Restarts(job)) {
        send(house, road, BEFORE);
        house.committedUntil(texts -> texts.size() >= BEFORE - 1); // the last may be in the air
        broker.kill();
        broker.start();
        awaitBroker(port);
        send(house, road, SECONDS - BEFORE);
        house.send(0, road.end());
        house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 1);

        assertThat(EverwatchTopologyITCase.text(house.committedBytes("north"))).isEqualTo(whole);
        assertThat(restarts.seen()).as("the job was started again").isFalse();
      }
    }
  }

  /** Looks whether the job stops running; it waits a second before it starts again. */
  private static final class Restarts implements AutoCloseable {
    private static final long LOOK_MILLIS = 100;

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final LocalJob job;
    private boolean ran;
    private volatile boolean seen;

    Restarts(LocalJob job) {
      this.job = job;
      var unused = // ended with the clock
          clock.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void look() {
      try {
        boolean runs = job.status() == JobStatus.RUNNING;
        seen |= ran && !runs;
        ran |= runs;
      } catch (InterruptedException end) {
        Thread.currentThread().interrupt();
      }
    }

    boolean seen() {
      return seen;
    }

    @Override
    public void close() {
      clock.shutdownNow();
    }
  }

  private static void send(House house, RoadFrames road, int seconds) throws Exception {
    for (int i = 0; i < 2 * seconds; i++) {
      house.send(0, road.next().build());
    }
  }

  private JvmProcess broker(int port) {
    return new JvmProcess(
        "broker",
        dir,
        () ->
            List.of(
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                Everwatch.class.getName(),
                "broker",
                "--dir",
                dir.resolve("records").toString(),
                "--port",
                Integer.toString(port)),
        Map.of());
  }

  private static void awaitBroker(int port) {
    Brokers.requireReachable(
        Map.of("bootstrap.servers", "localhost:" + port), Duration.ofSeconds(60));
  }
}
