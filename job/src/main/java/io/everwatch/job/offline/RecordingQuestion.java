// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.SamplingChanges;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A question about a recording: one long prefill of its chunks, then the answer. The prompt is that
 * of a stream that has watched in silence (StreamingVLM §5): system turn, instruction, a round for
 * each chunk with the pause for an answer; the question stands behind the pictures of the last
 * round, where the query of a first turn stands and where training puts one (§12.2). So a model
 * that was taught questions on streams needs nothing new for recordings.
 *
 * <p>The recording is read twice: to count its chunks, so that what is too much is cut before any
 * row is computed, and to look at them, some thousand rows at a time.
 */
public final class RecordingQuestion {
  /** Characters of a question at most. */
  public static final int MOST_CHARACTERS = SamplingChanges.MAX_INSTRUCTION;

  /** A prefill of a recording takes as long as its attention does; the watchdog sees each piece. */
  private static final Duration PATIENCE = Duration.ofHours(2);

  /** The listener hears of every so many. */
  private static final int COUNTED_AT_ONCE = 256;

  private static final int FRAMES_OF_A_PATCH = 2;

  private final Engine engine;
  private final Listener listener;

  /** Hears how far it is. */
  public interface Listener {
    /** So much of the recording was read, to know how long it is. */
    void counted(long chunks, long endMicros);

    /** Chunks that begin in {@code [fromMicros, toMicros)} are not looked at. */
    void leftOut(long fromMicros, long toMicros, long chunks);

    /** So much of what is looked at was looked at. */
    void looked(long chunks, long of, long endMicros, int rows);

    /** A picture that cannot be used. */
    void problem(String line);
  }

  /**
   * The answer.
   *
   * @param text empty: the model keeps silent
   * @param chunks looked at
   * @param leftOut chunks that were not
   * @param rows attended over by the first token of the answer
   */
  public record Answer(
      String text,
      int tokens,
      RoundResult.StopReason stop,
      long chunks,
      long leftOut,
      long fromMicros,
      long toMicros,
      int rows) {}

  /** About recordings; the engine remembers all that it is shown ({@link #settings}). */
  public RecordingQuestion(Engine engine, Listener listener) {
    this.engine = engine;
    this.listener = listener;
  }

  /**
   * Overrides of a model's settings with which nothing leaves the memory of a stream, and its
   * frames are those of a lower rate.
   *
   * @param fps frames a second, of which two make a chunk when they are fewer than the model's
   * @throws QuestionException when such a chunk would not be whole tenths of a second
   */
  public static Map<String, String> settings(Optional<Double> fps) {
    Map<String, String> changes = new LinkedHashMap<>();
    changes.put("visual_rounds", "100000");
    changes.put("text_rounds", "100000");
    changes.put("max_gap", "3650 d");
    fps.ifPresent(
        rate -> {
          changes.put("fps", BigDecimal.valueOf(rate).toPlainString());
          if (rate < FRAMES_OF_A_PATCH) {
            changes.put("chunk", chunk(rate));
          }
        });
    return changes;
  }

  private static String chunk(double fps) {
    double tenths = FRAMES_OF_A_PATCH * 10 / fps;
    if (!(fps > 0) || Math.abs(tenths - Math.rint(tenths)) > 1e-6 || tenths > 600) {
      throw new QuestionException(
          "%s frames a second are two in %s s; expected a chunk of whole tenths of a second, at most 60 s, since the model is told its time so; take 1, 0.5, 0.25, 0.2, 0.1 or 0.05"
              .formatted(fps, tenths / 10));
    }
    return Math.round(tenths * 100) + " ms";
  }

  /**
   * Asks.
   *
   * @param sink of the beginning so much is looked at where the recording is cut
   * @param window of the end so much; empty: all, nothing is cut
   * @throws QuestionException when question or recording cannot be used, or do not fit
   * @throws IOException when the recording cannot be read
   */
  public Answer ask(
      Recording recording,
      StreamSettings settings,
      String question,
      Duration sink,
      Optional<Duration> window)
      throws IOException, InterruptedException {
    check(question);
    RecordingCut cut =
        new RecordingCut(
            count(recording, settings),
            chunks(sink, settings),
            window.map(span -> Math.max(1, chunks(span, settings))).orElse(RecordingCut.ALL));
    try (Recording.Chunks chunks = recording.open(settings)) {
      LookedAt rounds =
          new LookedAt(settings, question, chunks, cut, engine.metrics().rowsLimit(), listener);
      RoundDriver.drive(engine, List.of(rounds), PATIENCE);
      return rounds.answer();
    }
  }

  private static void check(String question) {
    if (question.isBlank()) {
      throw new QuestionException(
          "the question is empty; expected a text, such as \"How many cars passed?\"");
    }
    if (question.length() > MOST_CHARACTERS) {
      throw new QuestionException(
          "the question has %,d characters; expected at most %,d; ask for less at a time"
              .formatted(question.length(), MOST_CHARACTERS));
    }
  }

  /** Whole chunks in a span. */
  private static long chunks(Duration span, StreamSettings settings) {
    return TimeUnit.NANOSECONDS.toMicros(span.toNanos()) / settings.chunkMicros();
  }

  private long count(Recording recording, StreamSettings settings) throws IOException {
    long count = 0;
    long end = 0;
    try (Recording.Chunks chunks = recording.open(settings)) {
      for (Optional<Assembled.Chunk<EncodedFrame>> chunk = chunks.next();
          chunk.isPresent();
          chunk = chunks.next()) {
        count++;
        end = chunk.get().endMicros();
        if (count % COUNTED_AT_ONCE == 0) {
          listener.counted(count, end);
        }
      }
    }
    if (count == 0) {
      throw new QuestionException(
          "there is no frame from %s s to %s s; expected at least one; look at the length of the recording, --from and --to"
              .formatted(recording.from().toSeconds(), recording.to().toSeconds()));
    }
    listener.counted(count, end);
    return count;
  }
}
