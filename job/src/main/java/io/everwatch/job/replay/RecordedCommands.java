// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import io.everwatch.job.broker.TopicScan;
import io.everwatch.job.topology.ReplayJob.RecordedCommand;
import io.everwatch.operators.flink.Origin;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** The commands that a stream answered, each with its place among the frames. */
final class RecordedCommands {
  private RecordedCommands() {}

  /** The answer to a command that the checkpoint had read: answered there, or waiting in it. */
  static boolean wasRead(Said said, Map<TopicPartition, Long> read) {
    return said.event().getKind() == TextKind.NOTICE
        && command(said.event()).getFirstOffset()
            < read.getOrDefault(partition(command(said.event())), 0L);
  }

  /**
   * Finds those that the checkpoint had not read.
   *
   * @param answers events of the stream, in order
   * @param read of the commands topic at the checkpoint
   * @throws ReplayException when one is no longer kept
   */
  static List<RecordedCommand> find(
      List<Said> answers,
      Map<TopicPartition, Long> read,
      Map<String, Object> client,
      String topic,
      Duration timeout) {
    List<TextEvent> notices =
        answers.stream()
            .filter(said -> said.event().getKind() == TextKind.NOTICE && !wasRead(said, read))
            .map(Said::event)
            .toList();
    List<RecordedCommand> commands = new ArrayList<>();
    if (notices.isEmpty()) {
      return commands;
    }
    try (TopicScan scan = new TopicScan(client, topic, /* committed= */ false, timeout)) {
      for (TextEvent notice : notices) {
        SourceRange source = command(notice);
        ConsumerRecord<byte[], byte[]> record =
            scan.at(source.getPartition(), source.getFirstOffset())
                .orElseThrow(() -> gone(notice, source));
        commands.add(
            new RecordedCommand(
                afterOffset(notice),
                new Origin(record.topic(), record.partition(), record.offset(), record.key()),
                record.value(),
                record.timestamp()));
      }
    }
    return commands;
  }

  private static ReplayException gone(TextEvent notice, SourceRange source) {
    return new ReplayException(
        "command %s, which took effect before chunk %d, is no longer kept: it lay at offset %d of %s partition %d; expected all commands of the interval; choose one that begins after it"
            .formatted(
                notice.getSubject(),
                notice.getChunk(),
                source.getFirstOffset(),
                source.getTopic(),
                source.getPartition()));
  }

  private static SourceRange command(TextEvent notice) {
    return notice.getSources().get(0);
  }

  private static long afterOffset(TextEvent notice) {
    return notice.getSources().size() < 2 ? -1 : notice.getSources().get(1).getLastOffset();
  }

  private static TopicPartition partition(SourceRange source) {
    return new TopicPartition(source.getTopic(), source.getPartition());
  }
}
