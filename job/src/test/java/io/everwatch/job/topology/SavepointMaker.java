// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.process.Await;
import io.everwatch.job.topology.RecordedRun.Input;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.FrameEvent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.flink.core.execution.SavepointFormatType;

/**
 * Makes the savepoint of a release, and the run to compare it with: two roads in all kinds of state
 * at once. Each has a snapshot of its memory, a chunk in its log, half a chunk open; one obeys a
 * command.
 */
final class SavepointMaker {
  static final String SAVEPOINT = "savepoint";

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int SECONDS = 8;

  private final House house;
  private final Path checkpoints;
  private final List<Input> sent = new ArrayList<>();
  private final RoadFrames north = new RoadFrames("north", 7, Encoding.PNG);
  private final RoadFrames south = new RoadFrames("south", 8, Encoding.PNG);
  private int frames;

  private SavepointMaker(House house) {
    this.house = house;
    this.checkpoints = house.checkpoints();
  }

  /**
   * The same bits on every machine, and memories written as soon as they may be.
   *
   * @param more keys and values, in the place of these or beside them
   */
  static String[] settings(String... more) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("engine.plain-products", "true");
    all.put("snapshot.interval", "3 s");
    for (int i = 0; i < more.length; i += 2) {
      all.put(more[i], more[i + 1]);
    }
    return all.entrySet().stream()
        .flatMap(entry -> Stream.of(entry.getKey(), entry.getValue()))
        .toArray(String[]::new);
  }

  /**
   * Runs a job and keeps what it needs.
   *
   * @param temporary for broker and cluster
   * @param target folder of the release; replaced
   */
  static void make(Path temporary, Path target) throws Exception {
    try (House house = new House(temporary);
        LocalJob job = house.start(house.config(settings()), Optional.empty())) {
      new SavepointMaker(house).run(job, target);
    }
  }

  private void run(LocalJob job, Path target) throws Exception {
    send(6); // three seconds
    said(3);
    command();
    checkpoints(7); // more than the snapshot's interval
    send(2); // is in the snapshot
    said(4);
    send(3); // is in the log; the last frame is half a chunk
    said(5);
    checkpoints(3); // nothing is left in a transaction
    Path savepoint = savepoint(job);
    Map<String, Integer> before = new LinkedHashMap<>();
    for (String stream : List.of("north", "south")) {
      before.put(stream, house.committedBytes(stream).size());
    }
    send(2 * SECONDS - frames);
    end(0, north);
    end(1, south);
    house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 2);
    Map<String, List<byte[]>> text = new LinkedHashMap<>();
    before.keySet().forEach(stream -> text.put(stream, house.committedBytes(stream)));

    FileUtils.deleteDirectory(target.toFile());
    Files.createDirectories(target);
    FileUtils.copyDirectory(savepoint.toFile(), target.resolve(SAVEPOINT).toFile());
    new RecordedRun(sent, text, before).write(target);
  }

  private void send(int count) throws Exception {
    for (int i = 0; i < count; i++) {
      send(0, north.next().build());
      send(1, south.next().build());
    }
    frames += count;
  }

  private void end(int partition, RoadFrames road) throws Exception {
    send(partition, road.end());
    road.close();
  }

  private void send(int partition, FrameEvent event) throws Exception {
    send(new Input(TopicNames.FRAMES, partition, event.getStreamId(), WireFormat.encode(event)));
  }

  private void command() throws Exception {
    byte[] value =
        WireFormat.encode(
            WireFormat.newCommandEvent()
                .setCommandId("shorter")
                .setStreamId("south")
                .setKind(CommandKind.SET)
                .setSettings(Map.of("max_new_tokens", "12"))
                .setText("")
                .build());
    send(new Input(TopicNames.COMMANDS, 0, "south", value));
    house.committedUntil(
        texts -> texts.stream().anyMatch(text -> text.event().getSubject().equals("shorter")));
  }

  private void send(Input input) throws Exception {
    house.sendTo(
        input.topic(),
        input.partition(),
        input.key().getBytes(StandardCharsets.UTF_8),
        input.value());
    sent.add(input);
  }

  /** Waits until each stream has so many committed chunks. */
  private void said(int chunks) {
    house.committedUntil(
        texts ->
            texts.stream()
                    .map(ReceivedText::event)
                    .filter(event -> event.getSubject().isEmpty())
                    .count()
                >= 2L * chunks);
  }

  /** Waits for so many more checkpoints, half a second each. */
  private void checkpoints(int count) throws Exception {
    long wanted = newest() + count;
    Await.until("checkpoint " + wanted, LIMIT, () -> newest() >= wanted, () -> "at " + newest());
  }

  private long newest() {
    return Checkpoints.newest(checkpoints)
        .map(path -> Long.parseLong(String.valueOf(path.getFileName()).substring("chk-".length())))
        .orElse(0L);
  }

  private Path savepoint(LocalJob job) throws Exception {
    String path =
        job.client()
            .triggerSavepoint(
                Checkpoints.uri(checkpoints.resolveSibling("savepoints")),
                SavepointFormatType.NATIVE)
            .get();
    return Path.of(path.replaceFirst("^file:(//)?", ""));
  }
}
