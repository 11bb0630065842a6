// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.process.JvmProcess;
import io.everwatch.job.wall.LiveWall;
import io.everwatch.job.wall.WallLimits;
import io.everwatch.job.wall.WallOptions;
import io.everwatch.job.wall.http.WallSecurity;
import io.everwatch.job.wall.http.WallServer;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The wall with all that is behind it: broker, cameras, model and job. */
class RealWallITCase {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  /** Text is to be read within this of the end of its second; of half of them, on any machine. */
  private static final double MAX_MEDIAN_MILLIS = 1_000;

  /** Notes when each new second's text is on its tile, against the second's end. */
  private static final String DELAYS =
      """
      window.delays = [];
      new MutationObserver((changes) => {
        for (const { target } of changes) {
          const tile = target.closest?.('.tile[data-state=live]');
          const spoken = tile?.querySelector('.tile-text[data-tone=said]');
          if (spoken) window.delays.push(Date.now() - Date.parse(target.dateTime));
        }
      }).observe(document, { subtree: true, attributes: true, attributeFilter: ['datetime'] });
      """;

  @TempDir private Path dir;

  @Test
  void showsWhatTheDemosEightCamerasSeeWhileItIsNew() throws Exception {
    try (Chromium browser = Chromium.start();
        RunningDemo demo = RunningDemo.start(8, dir);
        Tab tab = Look.LIGHT.open(browser).beforeEachPage(DELAYS)) {
      tab.go(demo.wall());
      tab.await("document.querySelectorAll('.tile img').length === 8", "eight pictures", LIMIT);
      String first = tab.evaluate("document.querySelector('.tile img').src").asText();
      tab.await("window.delays.length >= 30", "thirty sentences", LIMIT);
      assertThat(tab.evaluate("document.querySelector('.tile img').src").asText())
          .isNotEqualTo(first);
      printAndCheck(tab.evaluate("window.delays"));

      tab.click("[data-id='camera-1'] a");
      tab.await(
          "document.querySelectorAll('.line[data-tone=said]').length > 2", "sentences", LIMIT);
      String sentence = tab.text(".line[data-tone=said]:last-child .line-text");
      if (sentence.isEmpty()) {
        sentence = tab.text(".line[data-tone=said] .line-text");
      }
      tab.press("/");
      tab.type(sentence.replaceAll("[^A-Za-z ]", ""));
      tab.await("document.querySelectorAll('.results mark').length > 2", "found and marked");
      tab.click(".results .line button");
      tab.await(
          "document.querySelector('.stage-frame img')?.src.includes('/frames/')", "its frame");
      assertThat(tab.text(".stage-text")).isEqualTo(sentence);
      assertThat(tab.complaints).isEmpty();
    }
  }

  private static void printAndCheck(JsonNode measured) {
    List<Double> delays = new ArrayList<>();
    measured.forEach(delay -> delays.add(delay.asDouble()));
    Collections.sort(delays);
    double median = delays.get(delays.size() / 2);
    System.out.printf(
        "end of a second to its text on the page: median %.0f ms, p95 %.0f ms of %d%n",
        median, delays.get(delays.size() * 95 / 100), delays.size());
    assertThat(median).isLessThanOrEqualTo(MAX_MEDIAN_MILLIS);
  }

  @Test
  void showsThatAJobWasKilledAndStartedAgainAndNothingTwice() throws Exception {
    try (Chromium browser = Chromium.start();
        EmbeddedBroker broker = EmbeddedBroker.start(dir.resolve("kafka"))) {
      Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(1));
      try (JvmProcess job = new JvmProcess("run", dir, () -> run(broker.address()), Map.of());
          LiveCameras cameras = LiveCameras.start(broker.clientProperties(), 2);
          WallServer wall = serve(broker.address(), Optional.empty());
          Tab tab = Look.LIGHT.open(browser)) {
        job.start();
        tab.go(wall.address().toString());
        tab.await(
            "document.querySelectorAll('.tile[data-state=live]').length === 2", "live", LIMIT);
        // So that something is committed and the next life of the job goes on from it.
        tab.await(
            "document.querySelectorAll('.committed:not([hidden])').length > 0", "marks", LIMIT);

        job.kill();
        tab.await(
            "document.querySelector('[data-id=\"camera-1\"]').textContent.includes('Frames come, no text for')",
            "waiting is said",
            LIMIT);

        job.start();
        tab.await(
            "document.querySelectorAll('.tile[data-state=live]').length === 2",
            "live again",
            LIMIT);
        tab.await(
            "document.querySelector('[data-id=\"camera-1\"] .note').textContent === 'job restarted'",
            "the restart is said");
        tab.click("[data-id='camera-1'] a");
        tab.await(
            "document.querySelector('.said > .lines')?.textContent.includes('the job was restarted before this')",
            "and where it was",
            LIMIT);
        JsonNode twice =
            tab.evaluate(
                "(() => { const times = [...document.querySelectorAll('.said > .lines time')].map((time) => time.dateTime);"
                    + " return times.filter((time, i) => times.indexOf(time) !== i); })()");
        assertThat(twice).as("times that stand twice").isEmpty();
        assertThat(tab.complaints).isEmpty();
        assertThat(cameras.failures()).isEmpty();
      }
    }
  }

  @Test
  void playsAClipWithItsCaptions() throws Exception {
    Path clips = Files.createDirectory(dir.resolve("clips"));
    try (InputStream video = getClass().getResourceAsStream("/video/car-detection.mp4")) {
      Files.copy(video, clips.resolve("cars.mp4"));
    }
    Files.writeString(
        clips.resolve("cars.vtt"),
        "WEBVTT\n\n00:00.000 --> 00:02.000\nA car passes.\n\n00:02.000 --> 00:04.000\nIt is gone.\n");
    try (Chromium browser = Chromium.start();
        EmbeddedBroker broker = EmbeddedBroker.start(dir.resolve("kafka"))) {
      Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(1));
      try (WallServer wall = serve(broker.address(), Optional.of(clips));
          Tab tab = Look.LIGHT.open(browser)) {
        tab.go(wall.address() + "clips");
        tab.await("document.querySelector('.clip-list a')", "a list of clips");
        tab.click(".clip-list a");
        tab.await("document.querySelectorAll('.clip-layout .line').length === 2", "its captions");
        tab.evaluate("document.querySelector('video').currentTime = 2.5");
        tab.await(
            "document.querySelector('.line[aria-current=true]')?.textContent.includes('It is gone.')",
            "the caption of the moment is marked");
        assertThat(tab.evaluate("document.querySelector('video').videoWidth").asInt()).isPositive();
        assertThat(tab.complaints).isEmpty();
      }
    }
  }

  private static WallServer serve(String brokers, Optional<Path> clips) throws Exception {
    WallOptions options =
        new WallOptions(
            brokers,
            Map.of(),
            TopicNames.defaults(),
            WallLimits.of(Duration.ofHours(1), Runtime.getRuntime().maxMemory()),
            /* frames= */ true,
            Optional.empty(),
            /* demo= */ false,
            10,
            "test");
    return WallServer.start(
        LiveWall.start(options),
        new InetSocketAddress("localhost", 0),
        WallSecurity.local(),
        clips);
  }

  /** {@code everwatch run} in a process of its own, with the classes of this build. */
  private List<String> run(String brokers) {
    String classes =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return List.of(
        "-Xmx400m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dorg.bytedeco.javacpp.cachedir=" + Path.of("target/javacpp-it").toAbsolutePath(),
        "-cp",
        classes,
        "io.everwatch.job.cli.Everwatch",
        "run",
        "--brokers",
        brokers,
        "--checkpoint.dir",
        dir.resolve("checkpoints").toString(),
        "--checkpoint.interval",
        "500 ms",
        "--recovery.max-outage",
        "1 min",
        "--threads",
        "1",
        "--parallelism",
        "1");
  }
}
