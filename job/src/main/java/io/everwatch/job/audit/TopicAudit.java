// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.job.broker.TopicScan;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;

/**
 * Audits what lies on a broker: the text topic in both readings, the dead-letter topic, and the
 * frames topic when asked. How far each is read is fixed at the start, the text first: what is
 * written meanwhile can then only make frames and letters wait for an event, never an event lack
 * them. So a running job can be audited.
 */
public final class TopicAudit {
  private static final byte[] NOTHING = {};

  private TopicAudit() {}

  /**
   * Reads and checks.
   *
   * @param violations hears of each, as it is found
   * @throws MissingTopicException when the text topic is not there, or frames shall be read and
   *     theirs is not
   * @throws KafkaException when the broker goes away or refuses
   */
  public static AuditReport run(AuditOptions options, Consumer<Violation> violations) {
    AtomicLong count = new AtomicLong();
    Consumer<Violation> counted =
        violation -> {
          count.incrementAndGet();
          violations.accept(violation);
        };
    String text = options.topics().text();
    try (TopicScan committed = scan(options, text, true);
        TopicScan live = scan(options, text, false);
        TopicScan dead = scan(options, options.topics().deadLetters(), false);
        TopicScan frames = scan(options, options.topics().frames(), false)) {
      require(committed, text);
      if (options.readFrames()) {
        require(frames, options.topics().frames());
      }
      TextAudit texts =
          new TextAudit(
              text, committed.truncated(), options.streams(), options.repeatsAllowed(), counted);
      committed.forEach(one -> texts.accept(one.partition(), one.offset(), value(one)));
      LiveAudit seen = new LiveAudit(text, options.streams(), counted);
      live.forEach(one -> seen.accept(one.partition(), one.offset(), value(one)));
      Letters letters =
          new Letters(
              options.topics().deadLetters(), dead.exists() && dead.truncated().isEmpty(), counted);
      dead.forEach(one -> letters.accept(one.partition(), one.offset(), value(one)));
      letters.compare(text, texts.streams());
      AuditReport.Frames found = AuditReport.Frames.NOT_READ;
      if (options.readFrames()) {
        found = frames(options, frames, texts, letters, counted);
      }
      Totals totals = texts.totals();
      return new AuditReport(
          texts.streams().size(),
          texts.events(),
          seen.events(),
          totals.chunks(),
          totals.counts(),
          letters.report(),
          found,
          count.get());
    }
  }

  private static AuditReport.Frames frames(
      AuditOptions options,
      TopicScan frames,
      TextAudit texts,
      Letters letters,
      Consumer<Violation> violations) {
    FramesAudit audit =
        new FramesAudit(
            options.topics().frames(),
            frames.begins(),
            options.streams(),
            texts,
            options.topics().text(),
            letters,
            violations);
    frames.forEach(one -> audit.accept(one.partition(), one.offset(), one.key(), one.value()));
    return audit.finish();
  }

  private static TopicScan scan(AuditOptions options, String topic, boolean committed) {
    return new TopicScan(options.client(), topic, committed, options.timeout());
  }

  private static void require(TopicScan scan, String topic) {
    if (!scan.exists()) {
      throw new MissingTopicException(topic);
    }
  }

  /** A record without a value is no event; the audit says so. */
  private static byte[] value(ConsumerRecord<byte[], byte[]> record) {
    return record.value() == null ? NOTHING : record.value();
  }

  /** There is no such topic on the broker. */
  public static final class MissingTopicException extends RuntimeException {
    private static final long serialVersionUID = 1;

    MissingTopicException(String topic) {
      super(
          "there is no topic %s on this broker; expected the one that the job uses; give its name"
              .formatted(topic));
    }
  }
}
