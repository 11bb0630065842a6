// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.FrameEvent;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bad records end on the dead-letter topic; no byte of another stream changes. */
class BadInputITCase {
  private static final int GOOD = 0;
  private static final int BAD = 1;
  private static final int SECONDS = 6;
  private static final String LIMIT = "256 KiB";
  private static final int BACKWARDS = 3;
  private static final byte[] KEY = "bad".getBytes(StandardCharsets.UTF_8);

  @TempDir private Path dir;

  private interface Neighbour {
    void send(House house, RoadFrames road, int second) throws Exception;
  }

  @Test
  void badRecordsAreDeadLetteredAndLeaveTheOtherStreamAlone() throws Exception {
    List<String> alone = run("alone", (house, road, second) -> good(house, road));
    List<String> beside = run("beside", BadInputITCase::bad);

    assertThat(alone).hasSize(SECONDS + 1);
    assertThat(beside).isEqualTo(alone);
  }

  /** Runs a good stream beside another and returns the good one's committed bytes. */
  private List<String> run(String name, Neighbour neighbour) throws Exception {
    try (House house = new House(dir.resolve(name));
        RoadFrames good = new RoadFrames("good", 7, Encoding.PNG);
        RoadFrames other = new RoadFrames("bad", 8, Encoding.JPEG)) {
      for (int second = 0; second < SECONDS; second++) {
        house.send(GOOD, good.next().build());
        neighbour.send(house, other, second);
        house.send(GOOD, good.next().build());
      }
      house.send(GOOD, good.end());
      house.send(BAD, other.end());
      try (LocalJob job =
          house.start(house.config("limits.max-record-bytes", LIMIT), Optional.empty())) {
        house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 2);
      }
      if (name.equals("beside")) {
        check(house.deadLetters());
      }
      return EverwatchTopologyITCase.text(house.committedBytes("good"));
    }
  }

  private static void good(House house, RoadFrames road) throws Exception {
    house.send(BAD, road.next().build());
    house.send(BAD, road.next().build());
  }

  /** Two frames a second as well, but with one thing wrong, or one thing more. */
  private static void bad(House house, RoadFrames road, int second) throws Exception {
    FrameEvent.Builder first = road.next();
    FrameEvent.Builder next = road.next();
    switch (second) {
      case 0 -> {
        house.send(BAD, KEY, "not an Avro record at all".getBytes(StandardCharsets.UTF_8));
        house.send(BAD, null, new byte[] {(byte) 0xC3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9});
        house.send(BAD, KEY, null);
        house.send(BAD, first.build());
        house.send(BAD, next.build());
      }
      case 1 -> {
        byte[] jpeg = bytes(first);
        house.send(
            BAD, first.setBytes(ByteBuffer.wrap(Arrays.copyOf(jpeg, jpeg.length / 2))).build());
        house.send(BAD, next.build());
      }
      case 2 -> {
        house.send(BAD, first.build());
        house.send(BAD, next.setBytes(ByteBuffer.allocate(0)).build());
      }
      case 3 -> {
        // Above the job's own limit, below the topic's.
        house.send(BAD, KEY, Arrays.copyOf(WireFormat.encode(first.build()), 300 << 10));
        house.send(BAD, first.build());
        // Another resolution in mid-stream is no fault.
        house.send(
            BAD,
            next.setWidth(200).setHeight(120).setBytes(ByteBuffer.wrap(jpeg(200, 120))).build());
      }
      case 4 -> {
        house.send(BAD, first.build());
        long hourAhead = first.getCaptureMicros() + TimeUnit.HOURS.toMicros(1);
        house.send(
            BAD, FrameEvent.newBuilder(next).setSequence(1000).setCaptureMicros(hourAhead).build());
        house.send(BAD, next.setSequence(1001).build());
      }
      default -> {
        Instant end32Bit = Instant.parse("2038-01-19T03:14:08Z");
        house.send(
            BAD,
            FrameEvent.newBuilder(first)
                .setSequence(1002)
                .setCaptureMicros(end32Bit.getEpochSecond() * 1_000_000)
                .build());
        house.send(BAD, first.setSequence(1003).build());
        // Newer than the frame before, but counted as one of the first second.
        house.send(
            BAD,
            FrameEvent.newBuilder(first)
                .setSequence(BACKWARDS)
                .setCaptureMicros(first.getCaptureMicros() + 300_000)
                .build());
        house.send(BAD, next.setSequence(1004).build());
      }
    }
  }

  private static byte[] bytes(FrameEvent.Builder frame) {
    byte[] bytes = new byte[frame.getBytes().remaining()];
    frame.getBytes().duplicate().get(bytes);
    return bytes;
  }

  private static byte[] jpeg(int width, int height) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB), "jpeg", out);
    return out.toByteArray();
  }

  private static void check(List<DeadLetter> letters) {
    assertThat(letters)
        .extracting(DeadLetter::getReason, DeadLetter::getStreamId, DeadLetter::getPartition)
        .contains(
            tuple("UNDECODABLE", null, BAD),
            tuple("UNKNOWN_SCHEMA", null, BAD),
            tuple("TRUNCATED", "bad", BAD),
            tuple("EMPTY", "bad", BAD),
            tuple("OVERSIZED", null, BAD),
            tuple("CLOCK_JUMP", "bad", BAD));
    assertThat(letters).allSatisfy(letter -> assertThat(letter.getDetail()).isNotBlank());
    assertThat(letters)
        .filteredOn(letter -> letter.getReason().equals("UNDECODABLE"))
        .as("bytes that are no record, and a record without a value")
        .hasSize(2);
    assertThat(letters)
        .filteredOn(letter -> letter.getReason().equals("CLOCK_JUMP"))
        .as("an hour ahead, and 2038")
        .hasSize(2);
    assertThat(letters)
        .filteredOn(letter -> letter.getReason().equals("SEQUENCE_BACKWARDS"))
        .extracting(DeadLetter::getSequence)
        .containsExactly((long) BACKWARDS);
    assertThat(letters).as("and nothing else").hasSize(9);
  }
}
