// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.camera.CameraFrame;
import io.everwatch.job.camera.FolderSource;
import io.everwatch.job.camera.FrameSource;
import io.everwatch.job.camera.ThinnedSource;
import io.everwatch.job.camera.VideoFileSource;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FileCaptionerTest {
  private static final Path ROAD = Path.of("../operators/src/test/golden/road/frames");
  private static final Path CLIPS = Path.of("src/test/resources/video");

  private final FakeEngine engine =
      new FakeEngine(
          (session, input) ->
              FakeEngine.says(input.chunk() % 3 == 0 ? " Chunk " + input.chunk() + "." : ""));
  private final List<TextEvent> events = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();

  @AfterEach
  void closeEngine() {
    engine.close();
  }

  private FileCaptioner.Summary caption(FakeEngine with, FrameSource source)
      throws IOException, InterruptedException {
    try (source) {
      return new FileCaptioner(with)
          .caption("clip", source, FakeEngine.SETTINGS, events::add, problems::add);
    }
  }

  /** Events begin at zero and follow each other without a hole, to the end. */
  private void assertCovered(int seconds) {
    long at = 0;
    for (TextEvent event : events) {
      assertThat(event.getStartMicros()).isEqualTo(at);
      at = event.getEndMicros();
    }
    assertThat(at).isEqualTo(seconds * 1_000_000L);
  }

  @Test
  void aFolderGivesOneEventPerSecond() throws Exception {
    FileCaptioner.Summary summary = caption(engine, new FolderSource(ROAD, 2));
    assertThat(summary).isEqualTo(new FileCaptioner.Summary(180, 90, 0, 0));
    assertThat(events).hasSize(90);
    assertCovered(90);
    assertThat(events.get(3).getKind()).isEqualTo(TextKind.COMMENT);
    assertThat(events.get(3).getText()).isEqualTo(" Chunk 3.");
    assertThat(events.get(4).getKind()).isEqualTo(TextKind.SILENCE);
    assertThat(events.get(4).getRound()).isEqualTo(4);
    assertThat(events.get(4).getFirstSequence()).isEqualTo(8);
    assertThat(events.get(4).getLastSequence()).isEqualTo(9);
    assertThat(events.get(4).getModelDigest()).isEqualTo("0123456789abcdef");
    assertThat(problems).isEmpty();
    assertThat(engine.released).hasSize(1);
  }

  @Test
  void everySecondAndEveryFrameOfAClipIsAccountedFor() throws Exception {
    // 250 frames, 80 ms each: the last one begins at 19.92 s
    FrameSource clip = new VideoFileSource(CLIPS.resolve("car-detection.mp4"), Encoding.RGB24);
    FileCaptioner.Summary summary = caption(engine, clip);
    assertThat(summary.frames()).isEqualTo(250);
    assertCovered(20);
    assertThat(events.stream().mapToInt(event -> event.getFrames().getReceived()).sum())
        .isBetween(243, 250);
    assertThat(events.subList(0, 19))
        .allSatisfy(event -> assertThat(event.getFrames().getUsed()).isEqualTo(2));
  }

  @Test
  void aClipThinnedToTheModelsRateLosesNothing() throws Exception {
    FrameSource clip = new VideoFileSource(CLIPS.resolve("car-detection.mp4"), Encoding.RGB24);
    caption(engine, new ThinnedSource(clip, 2));
    assertCovered(20);
  }

  @Test
  void secondsWithoutFramesAreOneGap() throws Exception {
    FileCaptioner.Summary summary =
        caption(engine, at(0, 500_000, 1_000_000, 1_500_000, 7_000_000, 7_500_000));
    assertThat(summary.gaps()).isEqualTo(1);
    assertCovered(8);
    assertThat(events)
        .extracting(TextEvent::getKind)
        .containsExactly(TextKind.COMMENT, TextKind.SILENCE, TextKind.GAP, TextKind.SILENCE);
    assertThat(events.get(2).getSkipped().getFirstChunk()).isEqualTo(2);
    assertThat(events.get(2).getSkipped().getLastChunk()).isEqualTo(6);
  }

  @Test
  void aFailedRoundIsAnErrorEventAndTheRestGoesOn() throws Exception {
    try (FakeEngine failing =
        new FakeEngine(
            (session, input) ->
                input.chunk() == 1 ? new Failed("no row is free") : FakeEngine.says("x"))) {
      FileCaptioner.Summary summary = caption(failing, new FolderSource(ROAD, 2));
      assertThat(summary.problems()).isEqualTo(1);
      assertCovered(90);
      assertThat(events.get(1).getKind()).isEqualTo(TextKind.ERROR);
      assertThat(events.get(1).getText()).isEqualTo("no row is free");
      assertThat(problems).containsExactly("chunk 1: no row is free");
    }
  }

  @Test
  void aSourceThatBreaksIsCaptionedUpToThere() {
    Iterator<Long> offsets = LongStream.iterate(0, at -> at + 500_000).limit(9).iterator();
    FrameSource breaking =
        new FrameSource() {
          @Override
          public Optional<CameraFrame> next() throws IOException {
            if (!offsets.hasNext()) {
              throw new IOException("the disk is gone");
            }
            return Optional.of(frame(offsets.next()));
          }

          @Override
          public void close() {}
        };
    assertThatThrownBy(() -> caption(engine, breaking)).hasMessage("the disk is gone");
    assertThat(events).hasSize(4);
  }

  private static CameraFrame frame(long offsetMicros) {
    return new CameraFrame(offsetMicros, new EncodedFrame(Encoding.PNG, 1, 1, new byte[1]));
  }

  private static FrameSource at(long... offsets) {
    Iterator<Long> left = LongStream.of(offsets).iterator();
    return new FrameSource() {
      @Override
      public Optional<CameraFrame> next() {
        return left.hasNext() ? Optional.of(frame(left.next())) : Optional.empty();
      }

      @Override
      public void close() {}
    };
  }
}
