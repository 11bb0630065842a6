// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.cli.Everwatch;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.TextEvent;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code everwatch audit} over what the job wrote, and over what it never would. */
class AuditITCase {
  private static final int SECONDS = 5;

  @TempDir private Path dir;

  record Outcome(int exitCode, String out) {}

  @Test
  void whatTheJobWritesIsCleanAndWhatIsTamperedWithIsNot() throws Exception {
    try (House house = new House(dir)) {
      sendGood(house);
      sendFaulty(house);
      try (LocalJob job = house.start(house.config(), Optional.empty())) {
        house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 2);
      }
      assertThat(house.deadLetters()).as("each of the three faults").hasSize(3);

      Outcome clean = audit(house, "--frames");
      assertThat(clean.out)
          .contains("2 streams", "1 unusable pictures, 2 refused records", "\nclean\n")
          .contains("0 of them pending, in 2 stream lives; 0 lives are not wholly kept");
      assertThat(clean.exitCode).isZero();

      Outcome missing = audit(house, "--text-topic", "txt", "--dlq-topic", "letters");
      assertThat(missing.exitCode).isEqualTo(1);
      assertThat(missing.out).contains("there is no topic txt");

      assertTampering(house);
    }
  }

  /**
   * Text that was said after the checkpoint is aborted and said again: live readers see it twice.
   */
  @Test
  void aJobThatGoesOnFromItsCheckpointLeavesACleanTopic() throws Exception {
    try (House house = new House(dir);
        RoadFrames road = new RoadFrames("north", 7, Encoding.PNG)) {
      for (int i = 0; i < 2 * SECONDS + 1; i++) {
        house.send(0, road.next().build());
      }
      try (LocalJob job = house.start(house.config(), Optional.empty())) {
        house.committedUntil(texts -> texts.size() >= 2);
      }
      Outcome running = audit(house, "--frames");
      assertThat(running.exitCode).as(running.out).isZero();

      Optional<Path> checkpoint = Checkpoints.newest(house.checkpoints());
      assertThat(checkpoint).isPresent();
      for (int i = 0; i < 2 * SECONDS - 1; i++) {
        house.send(0, road.next().build());
      }
      house.send(0, road.end());
      try (LocalJob job = house.start(house.config("parallelism", "1"), checkpoint)) {
        house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 1);
      }
      Outcome ended = audit(house, "--frames");
      assertThat(ended.out).contains(2 * SECONDS + " answered, 0 in gaps", "0 of them pending");
      assertThat(ended.exitCode).isZero();
    }
  }

  private static void assertTampering(House house) throws Exception {
    List<byte[]> texts = house.committedBytes("north");
    house.tamper(TopicNames.TEXT, "north", texts.get(2));
    Outcome repeated = audit(house);
    assertThat(repeated.exitCode).isEqualTo(1);
    assertThat(repeated.out.lines())
        .first()
        .asString()
        .startsWith("REPEATED stream north chunk 2, text partition ")
        .contains("expected it once");
    assertThat(repeated.out).endsWith("1 violations\n");
    assertThat(audit(house, "--at-least-once").exitCode).isZero();
    assertThat(audit(house, "--stream", "faulty").exitCode).isZero();

    TextEvent other =
        TextEvent.newBuilder(WireFormat.decodeText(texts.get(3))).setText("never said").build();
    house.tamper(TopicNames.TEXT, "north", WireFormat.encode(other));
    Outcome changed = audit(house, "--json");
    assertThat(changed.exitCode).isEqualTo(1);
    assertThat(changed.out.lines())
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains("\"kind\":\"CHANGED\"", "\"streamId\":\"north\"", "\"chunk\":3"));
    assertThat(changed.out.lines().toList())
        .last()
        .asString()
        .startsWith("{\"summary\":{\"streams\":2")
        .contains("\"violations\":3"); // the repeated one; the changed one in both readings
  }

  private static void sendGood(House house) throws Exception {
    try (RoadFrames road = new RoadFrames("north", 7, Encoding.PNG)) {
      for (int i = 0; i < 2 * SECONDS; i++) {
        house.send(0, road.next().build());
      }
      house.send(0, road.end());
    }
  }

  /** A picture cut short, bytes that are no record, a lone clock jump, a copy, a silent second. */
  private static void sendFaulty(House house) throws Exception {
    try (RoadFrames road = new RoadFrames("faulty", 8, Encoding.JPEG)) {
      List<FrameEvent.Builder> frames = new ArrayList<>();
      for (int i = 0; i < 2 * SECONDS; i++) {
        frames.add(road.next());
      }
      byte[] picture = new byte[frames.get(1).getBytes().remaining()];
      frames.get(1).getBytes().duplicate().get(picture);
      frames.get(1).setBytes(ByteBuffer.wrap(Arrays.copyOf(picture, picture.length / 2)));
      for (int i = 0; i < frames.size(); i++) {
        if (i == 4 || i == 5) {
          continue; // the third second
        }
        house.send(1, frames.get(i).build());
        if (i == 2) {
          house.send(1, null, "not a frame".getBytes(StandardCharsets.UTF_8));
          house.send(1, frames.get(i).build());
        }
      }
      FrameEvent.Builder lone = FrameEvent.newBuilder(frames.get(0));
      lone.setSequence(100).setCaptureMicros(lone.getCaptureMicros() + TimeUnit.HOURS.toMicros(1));
      house.send(1, lone.build());
      house.send(1, road.end());
    }
  }

  static Outcome audit(House house, String... options) {
    List<String> args = new ArrayList<>(List.of("audit", "--brokers", house.address()));
    args.addAll(List.of(options));
    StringWriter out = new StringWriter();
    int exitCode =
        Everwatch.commandLine()
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(out))
            .execute(args.toArray(String[]::new));
    return new Outcome(exitCode, out.toString());
  }
}
