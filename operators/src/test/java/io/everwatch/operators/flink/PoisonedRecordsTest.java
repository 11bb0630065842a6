// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A bad record goes to the dead-letter output with its reason and changes nothing else. */
@Timeout(60)
class PoisonedRecordsTest {
  private static final FakeEngines FAKE = FakeEngines.start();

  /** What is sent instead of the sixth frame of a stream. */
  record Poison(String name, String reason, Function<Camera, FrameRecord> record) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Poison> poisons() {
    return Stream.of(
        new Poison("no Avro", "UNDECODABLE", camera -> camera.raw(new byte[] {1, 2, 3})),
        new Poison("no value", "UNDECODABLE", camera -> camera.raw(new byte[0])),
        new Poison(
            "cut record", "UNDECODABLE", camera -> camera.raw(Arrays.copyOf(frame(camera), 60))),
        new Poison("unknown schema", "UNKNOWN_SCHEMA", camera -> camera.raw(foreign(camera))),
        new Poison("oversized", "OVERSIZED", camera -> camera.raw(new byte[(8 << 20) + 1])),
        new Poison("no stream ID", "BAD_STREAM_ID", camera -> camera.raw(named(""))),
        new Poison(
            "endless stream ID", "BAD_STREAM_ID", camera -> camera.raw(named("x".repeat(513)))),
        new Poison(
            "encoding of the future",
            "UNKNOWN_ENCODING",
            camera -> camera.bad(new byte[9], FrameEncoding.UNKNOWN)),
        new Poison(
            "time before the epoch", "OUT_OF_RANGE", camera -> camera.frame(5, Long.MIN_VALUE)),
        new Poison("time without end", "OUT_OF_RANGE", camera -> camera.frame(5, Long.MAX_VALUE)),
        new Poison(
            "lone clock jump to 2038",
            "CLOCK_JUMP",
            camera -> camera.frame(5, 2_147_483_648_000_000L)),
        new Poison(
            "lone clock jump of an hour",
            "CLOCK_JUMP",
            camera -> camera.frame(5, camera.micros + 3_600_000_000L)),
        new Poison(
            "sequence going backwards",
            "SEQUENCE_BACKWARDS",
            camera -> camera.frame(0, camera.micros + 100_000)),
        new Poison("empty picture", "EMPTY", camera -> camera.bad(new byte[0], FrameEncoding.JPEG)),
        new Poison(
            "wrong magic", "WRONG_MAGIC", camera -> camera.bad(noise(500), FrameEncoding.PNG)),
        new Poison("cut JPEG", "TRUNCATED", camera -> camera.bad(jpegHead(), FrameEncoding.JPEG)));
  }

  @AfterAll
  static void closeEngine() {
    FAKE.close();
  }

  @ParameterizedTest
  @MethodSource("poisons")
  void goToTheDeadLettersAndLeaveOthersAlone(Poison poison) throws Exception {
    List<TextEvent> undisturbed = eventsOfB(null);
    try (Bench bench = new Bench(FAKE.engine(), Bench.PATIENT)) {
      Camera sick = new Camera("a", 7);
      run(bench, sick, poison);

      assertThat(bench.deadLetters())
          .singleElement()
          .satisfies(
              letter -> {
                assertThat(letter.getReason()).isEqualTo(poison.reason);
                assertThat(letter.getDetail()).isNotEmpty();
                assertThat(letter.getTopic()).isEqualTo("frames");
                assertThat(letter.getPartition()).isEqualTo(7);
                assertThat(letter.getOffset()).isEqualTo(5);
                assertThat(letter.getKey())
                    .isEqualTo(ByteBuffer.wrap("a".getBytes(StandardCharsets.UTF_8)));
                assertThat(letter.getOriginal().remaining())
                    .isEqualTo(Math.min(letter.getOriginalSize(), DeadLetters.MAX_ORIGINAL_BYTES));
              });
      assertThat(ofStream(bench, "a")).isNotEmpty().noneMatch(e -> e.getKind() == TextKind.ERROR);
      assertThat(ofStream(bench, "b")).isEqualTo(undisturbed);
    }
    assertThat(eventsOfB(poison)).isEqualTo(undisturbed);
  }

  /**
   * A dead letter that the broker refused would stop the job, and stop it again after a restart.
   */
  @Test
  void makeSmallDeadLettersHoweverLongKeyAndStreamId() throws Exception {
    byte[] key = new byte[3 << 20];
    byte[] value = named("x".repeat(4 << 20));
    try (Bench bench = new Bench(FAKE.engine(), Bench.PATIENT)) {
      bench.offer(new FrameRecordReader().read(new Origin("frames", 0, 1, key), value, 0));

      DeadLetterRecord record = bench.harness.getSideOutput(DeadLetters.TAG).remove().getValue();
      assertThat(record.value()).hasSizeLessThan(3 * DeadLetters.MAX_ORIGINAL_BYTES);
      assertThat(record.key()).hasSize(DeadLetters.MAX_ORIGINAL_BYTES);
      DeadLetter letter = WireFormat.decodeDeadLetter(record.value());
      assertThat(letter.getReason()).isEqualTo("BAD_STREAM_ID");
      assertThat(letter.getStreamId()).startsWith("xxx").endsWith("…").hasSizeLessThan(513);
      assertThat(letter.getOriginalSize()).isEqualTo(value.length);
    }
  }

  @Test
  void countABadPictureAsMissing() throws Exception {
    try (Bench bench = new Bench(FAKE.engine(), Bench.PATIENT)) {
      Camera camera = new Camera("a");
      bench.offer(camera.frame());
      bench.offer(camera.bad(noise(10), FrameEncoding.JPEG));
      bench.settle();

      TextEvent event = bench.events().get(0);
      assertThat(event.getFrames().getReceived()).isEqualTo(2);
      assertThat(event.getFrames().getUsed()).isEqualTo(1);
      assertThat(event.getFrames().getMissing()).isEqualTo(1);
      DeadLetter letter = bench.deadLetters().get(0);
      assertThat(letter.getStreamId()).isEqualTo("a");
      assertThat(letter.getSequence()).isEqualTo(1);
      assertThat(letter.getCaptureMicros()).isEqualTo(Camera.START_MICROS + 500_000);
      assertThat(letter.getChunk()).isZero();
      assertThat(letter.getOriginalSize()).isEqualTo(10);
    }
  }

  @Test
  void giveAnErrorEventWhenNoPictureOfAChunkIsGood() throws Exception {
    try (Bench bench = new Bench(FAKE.engine(), Bench.PATIENT)) {
      Camera camera = new Camera("a");
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.offer(camera.bad(noise(10), FrameEncoding.JPEG));
      camera.lose(1);
      for (int i = 0; i < 4; i++) {
        bench.offer(camera.frame());
      }
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getKind)
          .element(1)
          .isEqualTo(TextKind.ERROR);
      TextEvent error = bench.events().get(1);
      assertThat(error.getText()).contains("chunk 1");
      assertThat(error.getRound()).isEqualTo(-1);
      assertThat(error.getFrames().getUsed()).isZero();
      assertThat(bench.events().get(2).getRound()).isEqualTo(1);
      assertThat(bench.deadLetters()).hasSize(1); // though its picture was to serve two points
    }
  }

  @Test
  void areSentOncePerFrameThoughTheFrameIsRepeated() throws Exception {
    try (Bench bench = new Bench(FAKE.engine(), Bench.PATIENT)) {
      Camera camera = new Camera("a");
      bench.offer(camera.bad(noise(10), FrameEncoding.JPEG));
      camera.lose(1);
      bench.offer(camera.frame());
      bench.offer(camera.frame());
      bench.settle();

      assertThat(bench.deadLetters()).hasSize(1);
    }
  }

  private static List<TextEvent> eventsOfB(@org.jspecify.annotations.Nullable Poison poison)
      throws Exception {
    try (Bench bench = new Bench(FAKE.engine(), Bench.PATIENT)) {
      run(bench, new Camera("a", 7), poison);
      return ofStream(bench, "b");
    }
  }

  private static void run(
      Bench bench, Camera sick, @org.jspecify.annotations.Nullable Poison poison) throws Exception {
    Camera well = new Camera("b", 1);
    for (int i = 0; i < 12; i++) {
      bench.offer(poison != null && i == 5 ? poison.record.apply(sick) : sick.frame());
      bench.offer(well.frame());
    }
    bench.settle();
  }

  private static List<TextEvent> ofStream(Bench bench, String id) throws Exception {
    return bench.events().stream().filter(event -> event.getStreamId().equals(id)).toList();
  }

  private static byte[] frame(Camera camera) {
    return named(camera.id);
  }

  private static byte[] named(String id) {
    return WireFormat.encode(
        WireFormat.newFrameEvent()
            .setStreamId(id)
            .setSequence(5)
            .setCaptureMicros(Camera.START_MICROS)
            .setBytes(ByteBuffer.wrap(new byte[100]))
            .build());
  }

  private static byte[] foreign(Camera camera) {
    byte[] bytes = frame(camera);
    bytes[4] ^= 1; // in the fingerprint of the schema
    return bytes;
  }

  private static byte[] noise(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  /** A JPEG of 28x28 grey pixels that ends after its tables. */
  private static byte[] jpegHead() {
    try {
      var image =
          new java.awt.image.BufferedImage(
              Camera.SIDE, Camera.SIDE, java.awt.image.BufferedImage.TYPE_INT_RGB);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      javax.imageio.ImageIO.write(image, "jpeg", bytes);
      return Arrays.copyOf(bytes.toByteArray(), bytes.size() - 20);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
