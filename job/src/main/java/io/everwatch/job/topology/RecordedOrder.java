// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.topology.ReplayJob.RecordedCommand;
import io.everwatch.operators.flink.CommandRecordReader;
import io.everwatch.operators.flink.FrameRecord;
import io.everwatch.operators.flink.Origin;
import io.everwatch.operators.flink.SpreadRegistry;
import io.everwatch.operators.flink.StreamKey;
import java.util.ArrayDeque;
import java.util.List;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * The records of one stream in the order in which its operator once took them: of one partition of
 * the frames topic those of the stream, between them its commands where they came, and behind the
 * last frame of a life that was forgotten its end.
 *
 * <p>Configuration: all but the two fields below it. State: none, a replay is run once.
 */
final class RecordedOrder extends AbstractStreamOperator<FrameRecord>
    implements OneInputStreamOperator<FrameRecord, FrameRecord>, BoundedOneInput {
  private static final long serialVersionUID = 1;

  private final StreamKey key;
  private final String topic;
  private final int partition;
  private final List<RecordedCommand> commands;

  /** What comes behind is another life; the largest number: nothing was forgotten. */
  private final long forgottenAfter;

  private transient ArrayDeque<RecordedCommand> ahead = new ArrayDeque<>();
  private transient boolean ended;

  RecordedOrder(ReplayJob.Input input) {
    key = input.decisions().key();
    topic = input.partition().topic();
    partition = input.partition().partition();
    commands = List.copyOf(input.commands());
    forgottenAfter = input.forgottenAfter().orElse(Long.MAX_VALUE);
  }

  @Override
  public void open() throws Exception {
    super.open();
    ahead = new ArrayDeque<>(commands);
  }

  @Override
  public void processElement(StreamRecord<FrameRecord> element) {
    FrameRecord record = element.getValue();
    long offset = record.origin().offset();
    release(offset - 1);
    if (offset > forgottenAfter) {
      end();
    } else if (record.key().streamId().equals(key.streamId())
        && !(record.content() instanceof FrameRecord.Unusable)) {
      give(record);
    }
  }

  @Override
  public void endInput() {
    release(Long.MAX_VALUE - 1);
    if (forgottenAfter != Long.MAX_VALUE) {
      end();
    }
  }

  /** The commands that came after this record at the latest. */
  private void release(long offset) {
    while (!ended && !ahead.isEmpty() && ahead.element().afterOffset() <= offset) {
      RecordedCommand next = ahead.remove();
      give(
          new CommandRecordReader(SpreadRegistry.NONE)
              .read(next.origin(), next.value(), next.timestampMillis()));
    }
  }

  /** It closes the chunks that were open, as forgetting did. */
  private void end() {
    if (!ended) {
      give(
          new FrameRecord(
              key,
              new Origin(topic, partition, forgottenAfter, null),
              /* arrivalMillis= */ -1,
              new FrameRecord.End(/* sequence= */ -1)));
      ended = true;
    }
  }

  /** Under the key that its state has, whatever a registry says. */
  private void give(FrameRecord record) {
    output.collect(
        new StreamRecord<>(
            new FrameRecord(key, record.origin(), record.arrivalMillis(), record.content())));
  }
}
