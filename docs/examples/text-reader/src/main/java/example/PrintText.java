// SPDX-License-Identifier: Apache-2.0
package example;

import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReadException;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.TextReaderOptions.Reading;
import io.everwatch.schemas.avro.TextEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Prints the text of streams: {@code BROKERS [--committed] [--from-beginning] [STREAM …]}. */
public final class PrintText {
  private static volatile boolean stopping;

  public static void main(String[] args) throws Exception {
    Set<String> words = new TreeSet<>(List.of(args).subList(Math.min(1, args.length), args.length));
    boolean committed = words.remove("--committed");
    boolean fromBeginning = words.remove("--from-beginning");
    if (args.length == 0 || words.stream().anyMatch(word -> word.startsWith("-"))) {
      System.err.println("usage: PrintText BROKERS [--committed] [--from-beginning] [STREAM …]");
      System.exit(2);
    }
    TextReaderOptions options = TextReaderOptions.of(args[0], "text").streams(words); // none: all
    if (committed) { // else live: at once, and after a crash of the job perhaps changed
      options = options.reading(Reading.COMMITTED);
    }
    if (fromBeginning) { // else what is said from now on
      options = options.start(new FromBeginning());
    }
    Thread main = Thread.currentThread();
    try (TextEventReader reader = TextEventReader.open(options)) {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(reader, main))); // Ctrl-C
      long printed = 0;
      while (!stopping) {
        for (ReceivedText received : reader.poll(Duration.ofSeconds(1))) {
          print(received);
          printed++;
        }
      }
      System.out.println("stopped after " + printed + " events");
    } catch (TextReadException e) { // no broker, no topic, no permission: it says what to do
      System.err.println(e.getMessage());
      Runtime.getRuntime().halt(1); // not exit: its hook waits for this thread
    }
  }

  private static void stop(TextEventReader reader, Thread main) {
    stopping = true;
    reader.close(); // ends a poll that waits
    try {
      main.join(); // what was received is still printed
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void print(ReceivedText received) {
    TextEvent event = received.event();
    Instant start = Instant.ofEpochMilli(event.getStartMicros() / 1000);
    String again = received.changed() ? " (instead of what was shown before)" : "";
    System.out.println(
        start + " " + event.getStreamId() + " " + event.getKind() + " " + event.getText() + again);
  }
}
