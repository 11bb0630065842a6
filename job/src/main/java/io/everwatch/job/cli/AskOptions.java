// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A question, and about which part of the input. */
final class AskOptions {
  /** Longer than any recording. */
  private static final Duration END = Duration.ofDays(3650);

  @Option(
      names = "--ask",
      required = true,
      paramLabel = "QUESTION",
      description =
          "Instead of captions: look at the whole recording and answer this. Sampled at the model's"
              + " frame rate, or --fps; read twice. The shipped model was never taught questions:"
              + " it says what it says of the last second. FILE may also be a scene, with --to.")
  private String question = "";

  @Option(
      names = "--from",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "With --ask: pass over what is before it.")
  private @Nullable Duration from;

  @Option(
      names = "--to",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "With --ask: look at nothing behind it.")
  private @Nullable Duration to;

  @Option(
      names = "--window",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description =
          "With --ask: look at so much of the end only (default: all, as far as memory goes). What"
              + " is left out is cut before anything is computed, and said.")
  private @Nullable Duration window;

  @Option(
      names = "--sink",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "With --window: look at so much of the beginning, too.")
  private @Nullable Duration sink;

  String question() {
    return question;
  }

  Duration from() {
    return from == null ? Duration.ZERO : from;
  }

  Duration to() {
    return to == null ? END : to;
  }

  boolean hasEnd() {
    return to != null;
  }

  Duration sink() {
    return sink == null ? Duration.ZERO : sink;
  }

  Optional<Duration> window() {
    return Optional.ofNullable(window);
  }

  /** What is wrong with them together; empty: nothing. */
  Optional<String> contradiction() {
    if (from().compareTo(to()) >= 0) {
      return Optional.of(
          "--from %d s and --to %d s; expected the end behind the beginning"
              .formatted(from().toSeconds(), to().toSeconds()));
    }
    return sink != null && window == null
        ? Optional.of("--sink without --window; expected both, for without a window all is kept")
        : Optional.empty();
  }
}
