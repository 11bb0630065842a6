// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import io.everwatch.job.broker.TopicScan;
import io.everwatch.job.config.ConfigException;
import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.topology.CheckpointContents;
import io.everwatch.job.topology.CheckpointLocation;
import io.everwatch.job.topology.ReplayJob;
import io.everwatch.job.topology.ReplayJob.RecordedCommand;
import io.everwatch.operators.flink.Origin;
import io.everwatch.operators.flink.RecordedDecisions;
import io.everwatch.operators.flink.StreamSummary;
import io.everwatch.operators.flink.TextRecord;
import io.everwatch.schemas.WireFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Runs a retained interval of a stream again and compares it with the text topic, event by event.
 * Only reads: topics, offsets and checkpoint stay as they are, and the job may run meanwhile.
 */
public final class Replay {
  /** Clocks of cameras, brokers and TaskManagers may differ by as much. */
  private static final Duration CLOCKS_DIFFER = Duration.ofMinutes(10);

  private final ReplayOptions options;
  private final EverwatchConfig config;
  private final Map<String, Object> client;

  private Replay(ReplayOptions options) {
    this.options = options;
    // Another numerics identity is named and compared all the same.
    config = options.config().with(ConfigKeys.STRICT_NUMERICS.name(), "false", "replay");
    client = new HashMap<>(config.kafkaProperties());
  }

  /** The interval in the frames topic: from the checkpoint to what is there now. */
  private record Frames(
      TopicPartition partition, long firstOffset, long endOffset, Optional<Instant> before) {}

  private record Interval(long from, long to) {}

  /**
   * What lies in a checkpoint.
   *
   * @throws ConfigException when there is none
   * @throws ReplayException when it cannot be read
   */
  public static CheckpointContents list(EverwatchConfig config, String checkpoint, Path temporary) {
    CheckpointLocation location = CheckpointLocation.of(checkpoint);
    CheckpointContents contents;
    try {
      contents = CheckpointContents.read(config, location, temporary);
    } catch (Exception e) {
      throw new ReplayException(
          "%s cannot be restored (%s); expected one of this job, with the state.backend that wrote it (here %s), by this release or an older one"
              .formatted(checkpoint, root(e), config.get(ConfigKeys.STATE_BACKEND)),
          e);
    }
    if (contents.streams().isEmpty() && contents.frames().isEmpty()) {
      throw new ReplayException(
          "%s holds no stream and no offset of a frames topic; expected a checkpoint of this job"
              .formatted(checkpoint));
    }
    return contents;
  }

  /**
   * Runs and compares.
   *
   * @param lines hears of each event, as it is compared
   * @throws ConfigException when there is no such checkpoint
   * @throws ReplayException when the interval cannot be run again
   */
  public static ReplayReport run(ReplayOptions options, Consumer<ReplayLine> lines)
      throws Exception {
    return new Replay(options).run(lines);
  }

  private ReplayReport run(Consumer<ReplayLine> lines) throws Exception {
    CheckpointContents contents = list(config, options.checkpoint(), folder("list"));
    StreamSummary stream = stream(contents);
    Frames frames = frames(contents, stream);
    RecordedText text =
        RecordedText.read(
            client, config.get(ConfigKeys.TEXT), stream, frames.before(), options.timeout());
    Interval interval = interval(stream, text);
    List<Said> recorded = text.between(interval.from(), interval.to());
    // From the checkpoint on, though only the end of it be compared.
    List<RecordedCommand> commands =
        RecordedCommands.find(
            text.between(stream.nextChunk(), interval.to()),
            contents.commands(),
            client,
            config.get(ConfigKeys.COMMANDS),
            options.timeout());
    Comparison comparison = new Comparison(recorded, lines);
    ReplayJob.run(
        config,
        CheckpointLocation.of(options.checkpoint()),
        new ReplayJob.Input(
            new RecordedDecisions(stream.key(), text.skips(), text.merges()),
            frames.partition(),
            frames.firstOffset(),
            frames.endOffset(),
            text.forgottenAfter(),
            commands),
        folder("run"),
        again -> take(again, interval, comparison));
    comparison.finish(said -> RecordedCommands.wasRead(said, contents.commands()));
    return new ReplayReport(
        options.streamId(),
        interval.from(),
        interval.to(),
        comparison.compared(),
        comparison.agreeing(),
        commands.size(),
        comparison.notes());
  }

  /** Whether more is needed. */
  private static boolean take(TextRecord record, Interval interval, Comparison comparison) {
    Said again;
    try {
      again = Said.of(record.value());
    } catch (WireFormatException e) {
      throw new IllegalStateException("the operator wrote no text event", e);
    }
    if (again.follows()
        && again.lastChunk() >= interval.from()
        && again.event().getChunk() <= interval.to()) {
      comparison.saidAgain(again);
    }
    return !(again.closes() && again.lastChunk() >= interval.to());
  }

  private Path folder(String name) throws IOException {
    return Files.createDirectories(options.temporary().resolve(name));
  }

  private StreamSummary stream(CheckpointContents contents) {
    StreamSummary stream =
        contents.stream(options.streamId())
            .orElseThrow(
                () ->
                    new ReplayException(
                        "there is no stream %s in %s; expected one of the %d that it holds; --list names them"
                            .formatted(
                                options.streamId(),
                                options.checkpoint(),
                                contents.streams().size())));
    if (stream.lastFrame().isEmpty()) {
      throw new ReplayException(
          "stream %s had no frame yet at %s; expected one that had; choose a later checkpoint"
              .formatted(options.streamId(), options.checkpoint()));
    }
    return stream;
  }

  private Frames frames(CheckpointContents contents, StreamSummary stream) {
    Origin last = stream.lastFrame().orElseThrow();
    String topic = config.get(ConfigKeys.FRAMES);
    if (!last.topic().equals(topic)) {
      throw new ReplayException(
          "the frames of stream %s came by topic %s, and topics.frames is %s; expected the same; give the job's configuration"
              .formatted(options.streamId(), last.topic(), topic));
    }
    TopicPartition partition = new TopicPartition(topic, last.partition());
    long first = contents.frames().getOrDefault(partition, last.offset() + 1);
    try (TopicScan scan = new TopicScan(client, topic, /* committed= */ false, options.timeout())) {
      long begin = scan.begins().getOrDefault(partition.partition(), Long.MAX_VALUE);
      if (first < begin) {
        throw new ReplayException(gone(partition, first, begin, scan));
      }
      Optional<Instant> before =
          scan.at(partition.partition(), first - 1)
              .map(ConsumerRecord::timestamp)
              .filter(millis -> millis >= 0)
              .map(millis -> Instant.ofEpochMilli(millis).minus(CLOCKS_DIFFER));
      long end = scan.ends().getOrDefault(partition.partition(), first);
      return new Frames(partition, first, end, before);
    }
  }

  private String gone(TopicPartition partition, long first, long begin, TopicScan scan) {
    String oldest =
        scan.at(partition.partition(), begin)
            .map(record -> ", written " + Instant.ofEpochMilli(record.timestamp()))
            .orElse("");
    return "the frames from offset %d of %s on are no longer kept, and the checkpoint had read those before; the oldest that is kept is %s%s; choose a checkpoint that had read up to there (--list)"
        .formatted(
            first,
            partition,
            begin == Long.MAX_VALUE ? "none: there is no such partition" : begin,
            oldest);
  }

  private Interval interval(StreamSummary stream, RecordedText text) {
    long last = text.lastChunk();
    long from =
        options
            .from()
            .map(bound -> bound.chunk().or(() -> text.firstAfter(bound.time().orElseThrow())))
            .map(found -> found.orElse(last + 1))
            .orElse(stream.nextChunk());
    long to =
        options
            .to()
            .map(bound -> bound.chunk().or(() -> text.lastBefore(bound.time().orElseThrow())))
            .map(found -> found.orElse(-1L))
            .orElse(last);
    if (from < stream.nextChunk()) {
      throw new ReplayException(
          "the interval begins with chunk %d, and the checkpoint has answered all before chunk %d (%s); expected that one or a later one; choose an earlier checkpoint or a later beginning"
              .formatted(
                  from, stream.nextChunk(), Instant.ofEpochSecond(0, stream.endMicros() * 1000)));
    }
    if (to > last || from > to) {
      throw new ReplayException(
          "chunks %d to %d of stream %s cannot be compared; the topic holds committed text of chunks %d to %d from this checkpoint on"
              .formatted(from, to, options.streamId(), stream.nextChunk(), last));
    }
    return new Interval(from, to);
  }

  private static String root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }
}
