// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.cli.Everwatch;
import io.everwatch.job.cli.ExitCodes;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.TextEvent;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code everwatch replay} over what a job wrote after a checkpoint, with commands in between. */
@Timeout(240)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class) // the last one removes frames
class ReplayITCase {
  private static final String STREAM = "road";
  private static final String COPY = "text-copy";

  /** Chunks before the checkpoint; one frame more lies in it. */
  private static final int BEFORE = 2;

  @TempDir private static Path dir;
  private static House house;
  private static Path checkpoint;

  private record Ran(int exit, String out) {}

  @BeforeAll
  static void aJobGoesOnFromACheckpoint() throws Exception {
    house = new House(dir);
    List<FrameEvent> frames = new ArrayList<>();
    FrameEvent end;
    try (RoadFrames road = new RoadFrames(STREAM, 7, Encoding.JPEG)) {
      for (int i = 0; i < 20; i++) {
        frames.add(road.next().build());
      }
      end = road.end();
    }
    try (RoadFrames other = new RoadFrames("other", 8, Encoding.JPEG)) {
      house.send(0, other.next().build()); // in the same partition
      try (LocalJob job = house.start(house.config(), Optional.empty())) {
        send(frames.subList(0, 2 * BEFORE + 1));
        chunks(BEFORE);
      }
      checkpoint = Checkpoints.newest(house.checkpoints()).orElseThrow();
      send(frames.subList(5, 8)); // chunks 2 and 3, long ago when the job comes back
      EverwatchConfig live =
          house.config("parallelism", "1", "overload", "live", "overload.max-lag", "500 ms");
      try (LocalJob job = house.start(live, Optional.of(checkpoint))) {
        taken(9);
        command("calm", CommandKind.SET, Map.of("overload", "block"), "");
        send(frames.subList(8, 9)); // half of chunk 4
        command("ask", CommandKind.PROMPT, Map.of(), "Count the cars.");
        send(frames.subList(9, 10));
        chunks(4);
        command("halt", CommandKind.STOP, Map.of(), "");
        send(frames.subList(10, 13)); // chunk 5 and half of chunk 6
        chunks(5);
        command("go", CommandKind.START, Map.of("seed", "9", "temperature", "0.7"), "");
        command("go twice", CommandKind.START, Map.of(), "");
        send(frames.subList(13, 15)); // chunk 6 is whole; which frames chunk 7 has, time decides
        chunks(6);
        command("slow", CommandKind.SET, Map.of("fps", "1"), "");
        send(frames.subList(15, 20));
        house.send(0, end);
        house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 1);
        assertThat(replay().exit).as("while the job runs").isZero();
      }
    }
  }

  @AfterAll
  static void close() {
    house.close();
  }

  @Test
  @Order(1)
  void whatTheJobSaidFollowsFromCheckpointFramesAndCommands() throws Exception {
    Ran all = replay();
    assertThat(all.out)
        .contains("stream road, chunks 2 to 10: 14 of 14 events are equal, 6 commands given again")
        .contains("chunks 2 to 3 GAP", "chunk 4 NOTICE calm", "chunk 4 NOTICE ask", "chunk 5 GAP")
        .contains("chunk 6 NOTICE go twice", "chunk 7 NOTICE slow", "chunk 10 ENDED ended");
    assertThat(all.exit).isZero();
    assertThat(house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 1))
        .extracting(ReceivedText::event)
        .filteredOn(event -> event.getChunk() == 2)
        .allSatisfy(
            event -> assertThat(event.getSkipped().getReason()).startsWith("overload: more than"));

    assertThat(run(List.of("audit", "--frames")).out)
        .as("with chunks skipped for both reasons, and another grid")
        .contains("7 answered, 3 in gaps, 0 unexplained", "clean");

    Ran part = replay("--from", "8", "--to", "2026-01-01T00:00:08.5Z", "--json");
    assertThat(part.exit).isZero();
    assertThat(part.out.lines())
        .hasSize(2)
        .first()
        .asString()
        .contains("\"chunk\":8", "\"verdict\":\"EQUAL\"");
    assertThat(part.out)
        .contains("{\"summary\":{\"streamId\":\"road\",\"firstChunk\":8,\"lastChunk\":8");
  }

  @Test
  @Order(2)
  void onePlantedLetterIsFoundAndNamed() throws Exception {
    try (Admin admin = Admin.create(house.client())) {
      admin.createTopics(List.of(new NewTopic(COPY, 1, (short) 1))).all().get(30, TimeUnit.SECONDS);
    }
    for (byte[] value : house.committedBytes(STREAM)) {
      TextEvent event = WireFormat.decodeText(value);
      boolean planted = event.getChunk() == 6 && event.getSubject().isEmpty();
      house.tamper(
          COPY,
          STREAM,
          planted
              ? WireFormat.encode(
                  TextEvent.newBuilder(event).setText(event.getText() + "!").build())
              : value);
    }

    Ran ran = replay("--topics.text", COPY);

    assertThat(ran.exit).isEqualTo(ExitCodes.FAILURE);
    assertThat(ran.out.lines().filter(line -> line.startsWith("DIFFERENT")))
        .singleElement()
        .asString()
        .contains("chunk 6 ", "text '", "!' in the topic, '");
    assertThat(ran.out).contains("13 of 14 events are equal");
  }

  @Test
  @Order(3)
  void anotherModelIsNamedAndComparedAllTheSame() {
    Ran ran = replay("--model", "../operators/src/test/golden/qwen2_5_vl/tiny_a");

    assertThat(ran.exit).isEqualTo(ExitCodes.FAILURE);
    assertThat(ran.out)
        .contains("the model differs: ", "DIFFERENT", "modelDigest '")
        .contains("stream road, chunks 2 to 10: ");
  }

  @Test
  @Order(4)
  void theStreamsOfACheckpointAndWhereTheyStandAreListed() {
    Ran ran = run(List.of("replay", "--checkpoint", checkpoint.toString(), "--list"));

    assertThat(ran.exit).isZero();
    assertThat(ran.out)
        .contains("stream other stands before chunk 0")
        .contains("stream road stands before chunk 2 (2026-01-01T00:00:02Z), 0 turns wait;")
        .contains("last frame: partition 0 offset 5; model ")
        .contains("frames: frames partition 0 is read from offset 6")
        .doesNotContain("offset -3"); // of partitions of which nothing was read
  }

  @Test
  @Order(5)
  void whatCannotBeRunAgainIsNamed() {
    assertThat(replay("--stream", "rode").out)
        .contains("there is no stream rode in", "one of the 2 that it holds");
    assertThat(replay("--stream", "other").out).contains("no committed text of stream other");
    assertThat(replay("--from", "1").out)
        .contains("the checkpoint has answered all before chunk 2 (2026-01-01T00:00:02Z)");
    assertThat(replay("--to", "99").out).contains("committed text of chunks 2 to 10");
    assertThat(replay("--topics.text", "txt").out).contains("there is no topic txt");
    assertThat(replay("--from", "yesterday").exit).isEqualTo(ExitCodes.USAGE);
    assertThat(run(List.of("replay", "--checkpoint", house.checkpoints().toString(), "--list")).out)
        .contains("holds no complete checkpoint", "the newest below it is " + house.checkpoints());
  }

  @Test
  @Order(6)
  void theLastChunkOfAForgottenStreamFollowsToo() throws Exception {
    Optional<Path> last = Checkpoints.newest(house.checkpoints());
    try (LocalJob job = house.start(house.config("forget-after", "1 s"), last)) {
      house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 2);
    }

    Ran ran = replay("--stream", "other");

    assertThat(ran.out).contains("stream other, chunks 0 to 0: 1 of 1 events are equal");
    assertThat(ran.exit).isZero();
  }

  @Test
  @Order(7)
  void framesThatAreNoLongerKeptAreNamed() throws Exception {
    try (Admin admin = Admin.create(house.client())) {
      admin
          .deleteRecords(
              Map.of(new TopicPartition(TopicNames.FRAMES, 0), RecordsToDelete.beforeOffset(9)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }

    Ran ran = replay();

    assertThat(ran.exit).isEqualTo(ExitCodes.FAILURE);
    assertThat(ran.out)
        .contains("the frames from offset 6 of frames-0 on are no longer kept")
        .contains("the oldest that is kept is 9, written ");
  }

  private static void send(List<FrameEvent> frames) throws Exception {
    for (FrameEvent frame : frames) {
      house.send(0, frame);
    }
  }

  private static void command(
      String id, CommandKind kind, Map<String, String> settings, String text) throws Exception {
    house.sendTo(
        TopicNames.COMMANDS,
        0,
        STREAM.getBytes(StandardCharsets.UTF_8),
        WireFormat.encode(
            WireFormat.newCommandEvent()
                .setCommandId(id)
                .setStreamId(STREAM)
                .setKind(kind)
                .setSettings(settings)
                .setText(text)
                .build()));
    house.committedUntil(
        texts -> texts.stream().anyMatch(one -> one.event().getSubject().equals(id)));
  }

  /** Waits until a checkpoint has the frames before this offset. */
  private static void taken(long offset) {
    TopicPartition partition = new TopicPartition(TopicNames.FRAMES, 0);
    try (Admin admin = Admin.create(house.client())) {
      house.committedUntil(
          texts -> {
            try {
              OffsetAndMetadata read =
                  admin
                      .listConsumerGroupOffsets("everwatch")
                      .partitionsToOffsetAndMetadata()
                      .get(30, TimeUnit.SECONDS)
                      .get(partition);
              return read != null && read.offset() >= offset;
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
              throw new IllegalStateException(e);
            }
          });
    }
  }

  private static void chunks(int count) {
    house.committedUntil(texts -> own(texts) >= count);
  }

  private static long own(List<ReceivedText> texts) {
    return texts.stream()
        .map(ReceivedText::event)
        .filter(event -> event.getStreamId().equals(STREAM) && event.getSubject().isEmpty())
        .count();
  }

  private static Ran replay(String... options) {
    List<String> arguments =
        new ArrayList<>(
            List.of("replay", "--checkpoint", checkpoint.toString(), "--brokers", house.address()));
    arguments.addAll(List.of(options));
    if (!Set.of(options).contains("--stream")) {
      arguments.addAll(List.of("--stream", STREAM));
    }
    return run(arguments);
  }

  private static Ran run(List<String> arguments) {
    List<String> all = new ArrayList<>(arguments);
    if (!all.contains("--brokers")) {
      all.addAll(List.of("--brokers", house.address()));
    }
    StringWriter out = new StringWriter();
    int exit =
        Everwatch.commandLine()
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(out))
            .execute(all.toArray(String[]::new));
    return new Ran(exit, out.toString());
  }
}
