// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.camera.CameraMeter.State;
import io.everwatch.job.process.SelfSigned;
import io.everwatch.schemas.avro.FrameEvent;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cameras that speak HTTP, good and bad, onto a real broker. */
@Timeout(90)
class LiveCameraITCase {
  @TempDir private static Path dir;
  private static EmbeddedBroker broker;

  @TempDir private Path folder;

  @BeforeAll
  static void startBroker() throws IOException {
    broker = EmbeddedBroker.start(dir);
    Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(4));
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  private static Watched watch(CameraSettings... cameras) throws IOException {
    return new Watched(broker.clientProperties(), List.of(cameras));
  }

  private static HttpCamera.Pictures fast(int colour) {
    return number -> {
      TimeUnit.MILLISECONDS.sleep(20); // the camera's own rate
      return HttpCamera.jpeg(64, 48, colour);
    };
  }

  @Test
  void motionJpegArrivesInOrderAndEndsWhenItIsTold() throws Exception {
    try (HttpCamera camera = new HttpCamera()) {
      camera.motionJpeg("/video", fast(0x336699));
      long before = System.currentTimeMillis() * 1000;
      try (Watched watched =
          watch(Watched.settings("stream", "mjpeg", "input", camera.address("/video")))) {
        watched.until("ten frames", () -> watched.meter(0).sent() >= 10);
        watched.stop();

        List<FrameEvent> events = watched.events("mjpeg");
        Streams.assertWholeStream(events, true);
        assertThat(events.get(0).getCaptureMicros()).isGreaterThan(before);
        assertThat(events.get(0).getWidth()).isEqualTo(64);
        assertThat(watched.meter(0).state()).isEqualTo(State.ENDED);
        assertThat(watched.news)
            .singleElement()
            .asString()
            .contains("mjpeg 64x48, is sent as JPEG");
      }
    }
  }

  @Test
  void anEncryptedCameraIsBelievedWhenSomebodyVouchesForItOrNobodyHasTo() throws Exception {
    SelfSigned certificate = SelfSigned.make(folder);
    try (HttpCamera camera = new HttpCamera(certificate.context())) {
      camera.motionJpeg("/video", fast(0x336699));
      String address = camera.address("/video");
      String own = certificate.certificate().toString();
      try (Watched watched =
          watch(
              Watched.settings("stream", "unknown", "input", address, "attempts", "1"),
              Watched.settings("stream", "known", "input", address, "tls-ca", own),
              Watched.settings("stream", "any", "input", address, "tls-ca", "any"))) {
        watched.until("frames", () -> watched.meter(1).sent() >= 3 && watched.meter(2).sent() >= 3);
        watched.until("the first fails", () -> watched.meter(0).state() == State.FAILED);
        assertThat(watched.meter(0).failure().orElseThrow())
            .contains("https://127.0.0.1", "--tls-ca");
        assertThat(watched.meter(0).sent()).isZero();
        watched.stop();
      }
    }
  }

  @Test
  void aCameraThatChangesItsResolutionGoesOn() throws Exception {
    try (HttpCamera camera = new HttpCamera()) {
      camera.motionJpeg(
          "/video",
          number -> {
            TimeUnit.MILLISECONDS.sleep(20);
            return number < 40 ? HttpCamera.jpeg(64, 48, 0xff) : HttpCamera.jpeg(2000, 100, 0xff);
          });
      try (Watched watched =
          watch(Watched.settings("stream", "resized", "input", camera.address("/video")))) {
        watched.until("frames of both sizes", () -> watched.meter(0).received() >= 60);
        watched.stop();

        List<FrameEvent> events = watched.events("resized");
        Streams.assertWholeStream(events, true);
        assertThat(events.get(0).getWidth()).isEqualTo(64);
        FrameEvent last = events.get(events.size() - 2);
        assertThat(List.of(last.getWidth(), last.getHeight())).isEqualTo(List.of(1280, 64));
        assertThat(watched.meter(0).reconnects()).isZero();
      }
    }
  }

  @Test
  void aCameraThatSendsOneFrameInALongTimeIsNotLost() throws Exception {
    CountDownLatch wanted = new CountDownLatch(1);
    byte[] picture = HttpCamera.jpeg(1280, 720, 0x445566); // as large as a camera's
    try (HttpCamera camera = new HttpCamera()) {
      camera.motionJpeg(
          "/slow",
          number -> {
            if (number > 0) {
              wanted.await();
            }
            return picture;
          });
      try (Watched watched =
          watch(
              Watched.settings(
                  "stream", "slow", "input", camera.address("/slow"), "frame-timeout", "1h"))) {
        watched.until(
            "the first frame, without waiting for another", () -> watched.meter(0).sent() == 1);
        watched.until(
            "longer than the usual limit of these tests",
            () -> watched.meter(0).lastFrameAge().orElseThrow().toMillis() > 2500);
        wanted.countDown();
        watched.until("the second frame", () -> watched.meter(0).received() >= 2);
        assertThat(watched.meter(0).reconnects()).isZero();
        watched.stop();
      }
    }
  }

  @Test
  void oneDeadCameraStopsNoOther() throws Exception {
    try (HttpCamera camera = new HttpCamera()) {
      camera.motionJpeg("/video", fast(0x123456));
      camera.on("/mute", exchange -> {}); // takes the question and never answers
      try (Watched watched =
          watch(
              Watched.settings("stream", "dead", "input", "http://127.0.0.1:1/video"),
              Watched.settings("stream", "mute", "input", camera.address("/mute")),
              Watched.settings("stream", "alive", "input", camera.address("/video")))) {
        watched.until("frames of the third", () -> watched.meter(2).sent() >= 5);
        watched.until("the first is lost", () -> watched.meter(0).state() == State.LOST);
        watched.until("the second is lost", () -> watched.meter(1).state() == State.LOST);
        assertThat(watched.meter(0).failure().orElseThrow()).contains("Connection refused");
        assertThat(watched.meter(1).failure().orElseThrow()).contains("no answer within 3 s");
        watched.stop();
        Streams.assertWholeStream(watched.events("alive"), true);
        assertThat(watched.events("dead")).as("a camera never seen has no end").isEmpty();
      }
    }
  }

  @Test
  void anAddressThatRedirectsWithoutEndIsNamedAndGivenUp() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (HttpCamera camera = new HttpCamera()) {
      camera.on(
          "/loop",
          exchange -> {
            exchange.getResponseHeaders().set("Location", "/loop?n=" + asked.incrementAndGet());
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
          });
      String address = camera.address("/loop").replace("//", "//viewer:gehe1m@");
      try (Watched watched =
          watch(Watched.settings("stream", "loop", "input", address, "attempts", "0"))) {
        watched.awaitEnd();
        assertThat(watched.meter(0).state()).isEqualTo(State.FAILED);
        assertThat(watched.meter(0).failure().orElseThrow())
            .contains("http://***@127.0.0.1", "redirects without end")
            .doesNotContain("gehe1m", "viewer");
        assertThat(asked.get()).isLessThan(20);
      }
    }
  }

  @Test
  void aNetworkNeverOpensAFile() throws Exception {
    Path secret = Files.write(folder.resolve("secret.jpg"), HttpCamera.jpeg(64, 48, 0));
    try (HttpCamera camera = new HttpCamera()) {
      camera.on(
          "/redirect",
          exchange -> {
            exchange.getResponseHeaders().set("Location", "file://" + secret);
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
          });
      String list = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://%s\n#EXT-X-ENDLIST\n";
      camera.on(
          "/list.m3u8",
          exchange ->
              HttpCamera.answer(
                  exchange,
                  "application/vnd.apple.mpegurl",
                  list.formatted(secret).getBytes(UTF_8)));
      try (Watched watched =
          watch(
              Watched.settings(
                  "stream", "f1", "input", camera.address("/redirect"), "attempts", "0"),
              Watched.settings(
                  "stream", "f2", "input", camera.address("/list.m3u8"), "attempts", "0"))) {
        watched.awaitEnd();
        for (int i = 0; i < 2; i++) {
          assertThat(watched.meter(i).state()).isEqualTo(State.FAILED);
          assertThat(watched.meter(i).received()).isZero();
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void hlsIsPlayedAtItsPaceToItsEndOverAnEmptySegment(boolean emptySegment) throws Exception {
    for (int i = 0; i < 2; i++) {
      new TestVideo("mpeg2video", "yuv420p", 96, 64, 25, 25, false)
          .write(folder.resolve("s" + i + ".ts"), (f, plane, x, y) -> plane == 0 ? 2 * x + f : 128);
    }
    String list =
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
            + "#EXTINF:1.0,\ns0.ts\n"
            + (emptySegment ? "#EXTINF:1.0,\nempty.ts\n" : "")
            + "#EXT-X-DISCONTINUITY\n#EXTINF:1.0,\ns1.ts\n#EXT-X-ENDLIST\n";
    try (HttpCamera camera = new HttpCamera()) {
      camera.on(
          "/",
          exchange -> {
            String name = exchange.getRequestURI().getPath().substring(1);
            byte[] body =
                name.endsWith(".m3u8")
                    ? list.getBytes(UTF_8)
                    : name.startsWith("empty")
                        ? new byte[0]
                        : Files.readAllBytes(folder.resolve(name));
            HttpCamera.answer(
                exchange, name.endsWith("m3u8") ? "application/x-mpegurl" : "video/mp2t", body);
          });
      String stream = "hls-" + emptySegment;
      try (Watched watched =
          watch(
              Watched.settings(
                  "stream", stream, "input", camera.address("/live.m3u8"), "fps", "25"))) {
        watched.awaitEnd();
        assertThat(watched.meter(0).failure()).isEmpty();
        List<FrameEvent> events = watched.events(stream);
        Streams.assertWholeStream(events, true);
        assertThat(events.size()).isBetween(40, 51); // fewer on a machine that is late
        // two seconds of video in about as many; a burst would have come at once
        assertThat(events.get(20).getCaptureMicros() - events.get(0).getCaptureMicros())
            .isBetween(500_000L, 5_000_000L);
      }
    }
  }

  @Test
  void aMaskedRegionIsBlackInWhatIsSent() throws Exception {
    try (HttpCamera camera = new HttpCamera()) {
      camera.motionJpeg("/video", fast(0xffffff));
      CameraSettings whole =
          Watched.settings(
              "stream",
              "masked",
              "input",
              camera.address("/video"),
              "masks",
              "0,0,0.5x1",
              "encoding",
              "png");
      try (Watched watched = watch(whole)) {
        watched.until("a frame", () -> watched.meter(0).sent() >= 1);
        watched.stop();
        byte[] png = watched.events("masked").get(0).getBytes().array();
        BufferedImage shown = ImageIO.read(new ByteArrayInputStream(png));
        assertThat(shown.getRGB(10, 20) & 0xffffff).isZero();
        assertThat(shown.getRGB(50, 20) & 0xff).isGreaterThan(240);
      }
    }
  }
}
