// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromTime;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The answer to one command on the text topic: what comes after this was opened, or what was
 * answered when the command was sent before. The job answers an ID once, so that each event of the
 * topic stands there once; who missed the answer finds it where it is.
 */
final class CommandAnswer implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);

  private final String command;
  private final TextReaderOptions options;
  private final TextEventReader reader;

  /** Where the topic ended when this was opened. */
  private final Map<Integer, Long> end;

  /**
   * Opens the topic.
   *
   * @param options from its end on
   * @throws io.everwatch.schemas.TextReadException when there is no such topic or no broker
   */
  CommandAnswer(String command, TextReaderOptions options) {
    this.command = command;
    this.options = options;
    reader = TextEventReader.open(options);
    end = reader.positions();
  }

  /** What is answered from now on. */
  Optional<TextEvent> await(Duration limit) {
    return search(reader, limit, Optional::isPresent);
  }

  /** The newest answer between an instant and the opening. */
  Optional<TextEvent> since(Instant begin, Duration limit) {
    try (TextEventReader back = TextEventReader.open(options.start(new FromTime(begin)))) {
      return search(back, limit, answer -> reached(back.positions()));
    }
  }

  private boolean reached(Map<Integer, Long> positions) {
    return end.entrySet().stream()
        .allMatch(one -> positions.getOrDefault(one.getKey(), 0L) >= one.getValue());
  }

  private Optional<TextEvent> search(
      TextEventReader from, Duration limit, Predicate<Optional<TextEvent>> enough) {
    long deadline = System.nanoTime() + limit.toNanos();
    Optional<TextEvent> answer = Optional.empty();
    while (!enough.test(answer)
        && System.nanoTime() - deadline < 0
        && !Thread.currentThread().isInterrupted()) {
      for (ReceivedText received : from.poll(POLL)) {
        TextEvent event = received.event();
        if (event.getKind() == TextKind.NOTICE && event.getSubject().equals(command)) {
          answer = Optional.of(event);
        }
      }
    }
    return answer;
  }

  @Override
  public void close() {
    reader.close();
  }
}
