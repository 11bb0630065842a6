// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.process.Await;
import io.everwatch.job.process.FreePorts;
import io.everwatch.job.process.JvmProcess;
import io.everwatch.schemas.avro.FrameEvent;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A broker that answers late, and the command as a process that is told to end. */
@Timeout(120)
class SlowBrokerITCase {
  @TempDir private Path dir;

  @Test
  void aBrokerThatIsSlowCostsTheOldestFramesOnly() throws Exception {
    try (HttpCamera camera = new HttpCamera();
        EmbeddedBroker broker = EmbeddedBroker.start(dir)) {
      Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(1));
      camera.motionJpeg(
          "/video",
          number -> {
            TimeUnit.MILLISECONDS.sleep(20);
            return HttpCamera.jpeg(64, 48, number);
          });
      // batches wait for two seconds: what is under way stays so for longer than the camera takes
      Map<String, Object> client = new HashMap<>(broker.clientProperties());
      client.put("linger.ms", 2000);
      client.put("batch.size", 1 << 20);
      try (Watched watched =
          new Watched(
              client,
              List.of(
                  Watched.settings(
                      "stream",
                      "slow",
                      "input",
                      camera.address("/video"),
                      "fps",
                      "50",
                      "queue",
                      "4")))) {
        watched.until("frames are dropped", () -> watched.meter(0).dropped() >= 20);
        watched.until("others are sent", () -> watched.meter(0).sent() >= 20);
        watched.stop();

        List<FrameEvent> events = watched.events("slow");
        Streams.assertWholeStream(events, false);
        long dropped = watched.meter(0).dropped();
        assertThat(events.get(events.size() - 1).getSequence())
            .as("each frame was sent or counted as dropped")
            .isEqualTo(dropped + watched.meter(0).sent());
        assertThat(events.size() - 1).isEqualTo((int) watched.meter(0).sent());
      }
    }
  }

  @Test
  void theCommandEndsItsStreamsWhenItIsToldToAndReturnsZero() throws Exception {
    try (HttpCamera camera = new HttpCamera();
        EmbeddedBroker broker = EmbeddedBroker.start(dir)) {
      Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(1));
      camera.motionJpeg(
          "/video",
          number -> {
            TimeUnit.MILLISECONDS.sleep(20);
            return HttpCamera.jpeg(64, 48, number);
          });
      Path file =
          Files.writeString(
              dir.resolve("cameras.yaml"),
              """
              cameras:
                - { stream: one, input: "%s", fps: 10 }
                - { stream: two, input: "scene:road?seed=1" }
                - { stream: gone, input: "http://viewer:gehe1m@127.0.0.1:1/" }
              """
                  .formatted(camera.address("/video")));
      int port = FreePorts.find(1).get(0);
      List<String> arguments =
          List.of(
              "-cp",
              System.getProperty("java.class.path"),
              "-Xmx300m",
              "io.everwatch.job.cli.Everwatch",
              "camera",
              "--config",
              file.toString(),
              "--brokers",
              broker.address(),
              "--json",
              "--status",
              "200ms",
              "--metrics-port",
              "" + port);
      try (JvmProcess process = new JvmProcess("camera", dir, () -> arguments, Map.of());
          Watched reader = new Watched(broker.clientProperties(), List.of())) {
        process.start();
        Await.until(
            "frames of both",
            Duration.ofSeconds(60),
            () ->
                (reader.events("one").size() > 3 && reader.events("two").size() > 1)
                    || !process.isAlive(),
            () -> process.tail(20));
        process.stop();

        assertThat(process.exitValue()).as(process.tail(30)).isZero();
        Streams.assertWholeStream(reader.events("one"), true);
        Streams.assertWholeStream(reader.events("two"), true);
        assertThat(reader.events("gone")).as("never seen, so not ended").isEmpty();
        assertThat(process.tail(10_000))
            .contains("\"stream\":\"one\",\"state\":\"live\"")
            .contains("http://localhost:" + port + "/metrics")
            .contains("Connection refused")
            .doesNotContain("gehe1m");
      }
    }
  }

  @Test
  void picturesOnStandardInputAreSentToTheirEnd() throws Exception {
    Path pictures = dir.resolve("pictures.mjpeg");
    try (OutputStream out = Files.newOutputStream(pictures)) {
      for (int i = 0; i < 50; i++) {
        out.write(HttpCamera.jpeg(320, 240, i << 16));
      }
    }
    try (EmbeddedBroker broker = EmbeddedBroker.start(dir.resolve("broker"))) {
      Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(1));
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  "-Xmx300m",
                  "io.everwatch.job.cli.Everwatch",
                  "camera",
                  "--input",
                  "-",
                  "--stream",
                  "piped",
                  "--fps",
                  "1000",
                  "--brokers",
                  broker.address())
              .redirectInput(pictures.toFile())
              .redirectErrorStream(true)
              .start();
      String said = new String(process.getInputStream().readAllBytes(), UTF_8);
      assertThat(process.waitFor()).as(said).isZero();
      assertThat(said).contains("standard input, mjpeg 320x240", "and its end");
      try (Watched reader = new Watched(broker.clientProperties(), List.of())) {
        List<FrameEvent> events = reader.events("piped");
        Streams.assertWholeStream(events, true);
        assertThat(events.size()).isBetween(20, 51); // all come at once: of a millisecond one
      }
    }
  }
}
