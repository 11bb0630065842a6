// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReadException;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.TextReaderOptions.Reading;
import java.time.Duration;

/** Reads committed text on a thread of its own, only to time it. */
final class CommittedLag implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(500);

  private final Lags lags = new Lags();
  private final TextEventReader reader;
  private final Thread thread = new Thread(this::read, "committed-reader");
  private volatile boolean closed;

  CommittedLag(TextReaderOptions options) {
    reader = TextEventReader.open(options.reading(Reading.COMMITTED).start(new FromBeginning()));
    thread.setDaemon(true);
    thread.start();
  }

  Lags lags() {
    return lags;
  }

  private void read() {
    while (!closed) {
      try {
        for (ReceivedText text : reader.poll(POLL)) {
          add(text);
        }
      } catch (TextReadException e) {
        return; // the live reader meets the same broker and reports it
      }
    }
  }

  private void add(ReceivedText text) {
    long arrival = text.headers().arrivalMillis();
    if (arrival != EventHeaders.ABSENT) {
      lags.add(System.currentTimeMillis() - arrival);
    }
  }

  @Override
  public void close() {
    closed = true;
    reader.close();
    try {
      thread.join(POLL.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
