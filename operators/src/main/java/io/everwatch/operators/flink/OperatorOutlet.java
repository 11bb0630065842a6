// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;

/** Where texts and dead letters leave the operator; each text is kept until it is confirmed. */
final class OperatorOutlet implements Outlet {
  private final Output<StreamRecord<TextRecord>> output;
  private final Unconfirmed texts;
  private final ProcessingTimeService clock;
  private final OperatorMetrics metrics;

  OperatorOutlet(
      Output<StreamRecord<TextRecord>> output,
      Unconfirmed texts,
      ProcessingTimeService clock,
      OperatorMetrics metrics) {
    this.output = output;
    this.texts = texts;
    this.clock = clock;
    this.metrics = metrics;
  }

  @Override
  public void text(TextRecord record, long timestamp) {
    output.collect(stamped(texts.give(record, clock.getCurrentProcessingTime()), timestamp));
  }

  @Override
  public void deadLetter(String reason, DeadLetterRecord record, long timestamp) {
    metrics.deadLetter(reason);
    output.collect(DeadLetters.TAG, stamped(record, timestamp));
  }

  private static <T> StreamRecord<T> stamped(T value, long timestamp) {
    return timestamp == Turn.NO_TIMESTAMP
        ? new StreamRecord<>(value)
        : new StreamRecord<>(value, timestamp);
  }
}
