// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.camera.CameraMeter.State;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.process.Await;
import io.everwatch.job.process.FreePorts;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.topology.LocalJob;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.TextReaderOptions.Reading;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What cameras send, through the job: the text of it. */
@Timeout(180)
class LiveTextITCase {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int SIZE = 112;
  private static final int SECONDS = 20;

  @TempDir private Path dir;
  private EmbeddedBroker broker;
  private LocalJob job;
  private TextEventReader reader;
  private final List<TextEvent> events = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    broker = EmbeddedBroker.start(dir.resolve("kafka"));
    Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(2));
    EverwatchConfig config =
        EverwatchConfig.of(
            "brokers", broker.address(),
            "checkpoint.interval", "500 ms",
            "checkpoint.dir", dir.resolve("checkpoints").toString(),
            "recovery.max-outage", "1 min",
            "threads", "2");
    job = LocalJob.start(config, dir.resolve("flink"), 0, Optional.empty());
    reader =
        TextEventReader.open(
            TextReaderOptions.of(broker.address(), TopicNames.TEXT)
                .reading(Reading.COMMITTED)
                .start(new FromBeginning()));
  }

  @AfterEach
  void stop() throws Exception {
    reader.close();
    job.close();
    broker.close();
  }

  @Test
  void textGoesOnBehindAKilledCameraAndACutNetwork() throws Exception {
    String missing = RtspServer.missing();
    assumeTrue(missing.isEmpty(), missing);
    int port = FreePorts.find(1).get(0);
    try (RtspServer server = new RtspServer(port);
        TcpForwarder network = new TcpForwarder(port)) {
      server.start();
      String address = "rtsp://127.0.0.1:%d/cam".formatted(network.port());
      try (Watched watched =
          new Watched(
              broker.clientProperties(),
              List.of(Watched.settings("stream", "gate", "input", address)))) {
        awaitText(said("gate").size() + 3);
        server.kill();
        watched.until("it is lost", () -> watched.meter(0).state() == State.LOST);
        server.start();
        watched.until("it is back", () -> watched.meter(0).state() == State.LIVE);
        awaitText(said("gate").size() + 3);
        network.cut(); // noticed after two seconds without a frame
        watched.until("it is lost", () -> watched.meter(0).state() == State.LOST);
        network.mend();
        watched.until("it is back", () -> watched.meter(0).state() == State.LIVE);
        awaitText(said("gate").size() + 3);
        watched.stop();
      }
    }
    until("the end", () -> !ends().isEmpty());

    List<TextEvent> said = said("gate");
    for (int i = 1; i < said.size(); i++) {
      assertThat(said.get(i).getStartMicros())
          .as("event %d begins where the one before ends", i)
          .isEqualTo(said.get(i - 1).getEndMicros());
    }
    assertThat(said)
        .extracting(TextEvent::getKind)
        .contains(TextKind.GAP)
        .isSubsetOf(TextKind.COMMENT, TextKind.SILENCE, TextKind.GAP);
    assertThat(Topics.records(broker.clientProperties(), TopicNames.DEAD_LETTERS)).isZero();
  }

  @Test
  void noiseUnderAMaskChangesNoByteOfTheText() throws Exception {
    List<byte[]> road = road();
    List<Mask> masks = List.of(Mask.parse("0,0,0.4x1"));
    for (String stream : List.of("first", "second")) {
      Path video = dir.resolve(stream + ".nut");
      writeWithNoise(video, road, new Random(stream.hashCode()));
      PictureOptions options = new PictureOptions(masks, Optional.empty(), 92);
      try (VideoFileSource source = new VideoFileSource(video, Encoding.PNG, options);
          FramePublisher publisher =
              new FramePublisher(broker.clientProperties(), TopicNames.FRAMES)) {
        publisher.publish(stream, source, 1_000_000_000_000_000L, Pace.fast());
      }
    }
    until("both ends", () -> ends().size() == 2);

    assertThat(said("first")).hasSize(SECONDS);
    assertThat(said("first")).extracting(TextEvent::getKind).contains(TextKind.COMMENT);
    assertThat(values("second")).isEqualTo(values("first"));
  }

  /** Pixels of a road, RGB, two frames a second. */
  private static List<byte[]> road() {
    List<byte[]> frames = new ArrayList<>();
    try (RoadSceneSource source =
        new RoadSceneSource(RoadScene.parse("scene:road?seed=7"), Encoding.RGB24)) {
      for (int i = 0; i < 2 * SECONDS; i++) {
        frames.add(source.next().orElseThrow().picture().bytes());
      }
    }
    return frames;
  }

  /** The road with noise in its left 44 columns, as an uncompressed video. */
  private static void writeWithNoise(Path video, List<byte[]> road, Random noise)
      throws IOException {
    byte[] row = new byte[3 * 44];
    List<byte[]> frames = road.stream().map(byte[]::clone).toList();
    for (byte[] pixels : frames) {
      for (int y = 0; y < SIZE; y++) {
        noise.nextBytes(row);
        System.arraycopy(row, 0, pixels, 3 * SIZE * y, row.length);
      }
    }
    int[] colourOfPlane = {1, 2, 0}; // gbrp
    new TestVideo("rawvideo", "gbrp", SIZE, SIZE, 2, frames.size(), false)
        .write(
            video,
            (frame, plane, x, y) ->
                x < SIZE // beyond: padding of the row
                    ? frames.get(frame)[3 * (SIZE * y + x) + colourOfPlane[plane]] & 0xff
                    : 0);
  }

  private void awaitText(int count) throws Exception {
    until(count + " events", () -> said("gate").size() >= count);
  }

  private void until(String what, Callable<Boolean> condition) throws Exception {
    Await.until(
        what,
        PATIENCE,
        () -> {
          reader.poll(Duration.ofMillis(100)).stream()
              .map(ReceivedText::event)
              .forEach(events::add);
          return condition.call();
        },
        events::toString);
  }

  /** The chunks' own events. */
  private List<TextEvent> said(String stream) {
    return events.stream()
        .filter(event -> event.getStreamId().equals(stream) && event.getSubject().isEmpty())
        .toList();
  }

  private List<TextEvent> ends() {
    return events.stream().filter(event -> event.getKind() == TextKind.ENDED).toList();
  }

  /** All that the events say but whose they are and where their frames lie. */
  private List<String> values(String stream) {
    return said(stream).stream()
        .map(event -> TextEvent.newBuilder(event).setStreamId("").setSources(List.of()).build())
        .map(event -> HexFormat.of().formatHex(WireFormat.encode(event)))
        .toList();
  }
}
