// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.camera.CameraMeter.State;
import io.everwatch.job.process.FreePorts;
import io.everwatch.schemas.avro.FrameEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real RTSP server (GStreamer's) as the camera. It is killed and started again, and its network
 * cut, {@code -Deverwatch.camera.outages=N} times each (default 2; 10 is the long form).
 */
@Timeout(300)
class RtspCameraITCase {
  private static final int OUTAGES = Integer.getInteger("everwatch.camera.outages", 2);
  private static final String PASSWORD = "gehe1m@w0rt/x";

  /**
   * What the process may gain over all outages: an unfreed connection alone has several MiB. Looked
   * at in the long form, in a JVM of its own: the heap of others grows as it likes.
   */
  private static final long FLAT_BYTES = 48L << 20;

  @TempDir private static Path dir;
  private static EmbeddedBroker broker;

  @BeforeAll
  static void startBroker() throws Exception {
    String missing = RtspServer.missing();
    assumeTrue(missing.isEmpty(), missing);
    broker = EmbeddedBroker.start(dir);
    Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(4));
  }

  @AfterAll
  static void stopBroker() {
    if (broker != null) {
      broker.close();
    }
  }

  private static Watched watch(CameraSettings... cameras) throws IOException {
    return new Watched(broker.clientProperties(), List.of(cameras));
  }

  @Test
  void aCameraKilledAndRestartedAndItsNetworkCutLeavesGapsAndNothingElse() throws Exception {
    int port = FreePorts.find(1).get(0);
    long memory = 0;
    try (RtspServer server = new RtspServer(port);
        TcpForwarder network = new TcpForwarder(port)) {
      server.start();
      String address = "rtsp://127.0.0.1:%d/cam".formatted(network.port());
      try (Watched watched = watch(Watched.settings("stream", "rtsp", "input", address))) {
        for (int i = 0; i < 2 * OUTAGES; i++) {
          boolean kill = i % 2 == 0;
          awaitMore(watched);
          if (kill) {
            server.kill();
          } else {
            network.cut();
          }
          watched.until("it is lost", () -> watched.meter(0).state() == State.LOST);
          if (kill) {
            server.start();
          } else {
            network.mend();
          }
          watched.until("it is back", () -> watched.meter(0).state() == State.LIVE);
          if (i == 1) {
            awaitMore(watched);
            memory = residentBytes();
          }
        }
        awaitMore(watched);
        if (OUTAGES >= 10) {
          assertThat(residentBytes() - memory).as("bytes gained").isLessThan(FLAT_BYTES);
        }
        watched.stop();
        assertThat(watched.meter(0).reconnects()).isEqualTo(2L * OUTAGES);
        assertThat(watched.meter(0).dropped()).isZero();

        List<FrameEvent> events = watched.events("rtsp");
        Streams.assertWholeStream(events, true);
        assertThat(events).hasSize((int) watched.meter(0).sent() + 1);
        // a killed camera may be back within a second; a cut is seen after two
        assertThat(gaps(events)).as("gaps of a second or more").isGreaterThanOrEqualTo(OUTAGES);
      }
    }
  }

  private static void awaitMore(Watched watched) throws Exception {
    long before = watched.meter(0).sent();
    watched.until("twelve more frames", () -> watched.meter(0).sent() >= before + 12);
  }

  /** Nothing fills the time in which a camera was away. */
  private static int gaps(List<FrameEvent> events) {
    int gaps = 0;
    for (int i = 1; i < events.size(); i++) {
      long between = events.get(i).getCaptureMicros() - events.get(i - 1).getCaptureMicros();
      gaps += between >= 1_000_000 ? 1 : 0;
    }
    return gaps;
  }

  private static long residentBytes() throws IOException {
    System.gc();
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .sum();
  }

  @Test
  void theCamerasClockIsThatOfItsSenderReports() throws Exception {
    int port = FreePorts.find(1).get(0);
    try (RtspServer server = new RtspServer(port)) {
      server.start();
      String address = "rtsp://127.0.0.1:%d/cam".formatted(port);
      try (Watched watched =
          watch(Watched.settings("stream", "clock", "input", address, "time", "camera"))) {
        watched.until("twenty frames", () -> watched.meter(0).sent() >= 20);
        long now = System.currentTimeMillis() * 1000;
        watched.stop();
        List<FrameEvent> events = watched.events("clock");
        Streams.assertWholeStream(events, true);
        FrameEvent last = events.get(events.size() - 2);
        assertThat(now - last.getCaptureMicros()).isBetween(-2_000_000L, 5_000_000L);
        for (int i = 2; i < events.size() - 1; i++) {
          // even, as the time stamps are: 3 frames of 384/11456 s each
          assertThat(events.get(i).getCaptureMicros() - events.get(i - 1).getCaptureMicros())
              .as("between frames %d and %d", i - 1, i)
              .isBetween(50_000L, 150_000L);
        }
      }
    }
  }

  @Test
  void credentialsOpenTheCameraAndAreNeverShown() throws Exception {
    int port = FreePorts.find(1).get(0);
    try (RtspServer server = new RtspServer(port, "viewer", PASSWORD)) {
      server.start();
      String address = "rtsp://127.0.0.1:%d/cam".formatted(port);
      Path right = Files.writeString(dir.resolve("password"), PASSWORD + "\n");
      Path wrong = Files.writeString(dir.resolve("wrong"), "fa1sch@w0rt\n");
      try (Watched watched =
          watch(
              Watched.settings(
                  "stream",
                  "right",
                  "input",
                  address,
                  "user",
                  "viewer",
                  "password-file",
                  right.toString()),
              Watched.settings(
                  "stream",
                  "wrong",
                  "input",
                  address,
                  "user",
                  "viewer",
                  "password-file",
                  wrong.toString(),
                  "attempts",
                  "1"))) {
        watched.until("frames", () -> watched.meter(0).sent() >= 3);
        watched.until("the wrong one fails", () -> watched.meter(1).state() == State.FAILED);
        assertThat(watched.meter(1).failure().orElseThrow())
            .contains("rtsp://***@127.0.0.1", "401", "user and password")
            .doesNotContain("fa1sch", "viewer");
        assertThat(String.join("", watched.news)).doesNotContain("gehe1m", "viewer", "%40");
        watched.stop();
      }
    }
  }

  @Test
  void aCameraWithoutVideoIsNamed() throws Exception {
    int port = FreePorts.find(1).get(0);
    try (RtspServer server = new RtspServer(port)) {
      server.start();
      String address = "rtsp://127.0.0.1:%d/sound".formatted(port);
      try (Watched watched =
          watch(Watched.settings("stream", "sound", "input", address, "attempts", "0"))) {
        watched.awaitEnd();
        assertThat(watched.meter(0).failure().orElseThrow()).contains("no video track");
      }
    }
  }
}
