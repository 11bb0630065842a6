// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.camera.FrameSource;
import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.schemas.avro.TextEvent;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

/** Captions one source from its first to its last frame. */
public final class FileCaptioner {
  private final Engine engine;

  public FileCaptioner(Engine engine) {
    this.engine = engine;
  }

  /**
   * What was done.
   *
   * @param chunks seconds that made a round
   * @param problems frames and rounds that could not be used
   */
  public record Summary(long frames, long chunks, long gaps, long problems) {}

  /**
   * Captions a source to its end.
   *
   * @param events one per chunk or gap: together they cover the source without a hole
   * @param problems one line per frame that could not be used
   * @throws IOException when the source cannot be read on; what was read is captioned before
   */
  public Summary caption(
      String streamId,
      FrameSource source,
      StreamSettings settings,
      Consumer<TextEvent> events,
      Consumer<String> problems)
      throws IOException, InterruptedException {
    Report report = new Report(new CaptionEvents(streamId, engine), events, problems);
    SourceRounds rounds = new SourceRounds(streamId, settings, source, report);
    RoundDriver.drive(engine, List.of(rounds), RoundDriver.PATIENCE);
    return new Summary(rounds.frames(), report.chunks, report.gaps, report.problemCount);
  }

  private static final class Report implements SourceRounds.Listener {
    private final CaptionEvents make;
    private final Consumer<TextEvent> events;
    private final Consumer<String> problems;
    private long chunks;
    private long gaps;
    private long problemCount;

    Report(CaptionEvents make, Consumer<TextEvent> events, Consumer<String> problems) {
      this.make = make;
      this.events = events;
      this.problems = problems;
    }

    @Override
    public void answered(Assembled.Chunk<EncodedFrame> chunk, RoundResult result) {
      chunks++;
      for (RoundResult.BadFrame bad : result.badFrames()) {
        problem(
            "frame %d (%s): %s"
                .formatted(chunk.frames().get(bad.index()).sequence(), bad.reason(), bad.detail()));
      }
      result
          .outcome()
          .match(
              spoke -> false,
              silent -> false,
              failed -> problem("chunk %d: %s".formatted(chunk.index(), failed.reason())));
      events.accept(make.of(chunk, result));
    }

    @Override
    public void gap(Assembled.Gap<EncodedFrame> gap) {
      gaps++;
      events.accept(make.of(gap));
    }

    @Override
    public void dead(Assembled.DeadFrame<EncodedFrame> frame) {
      problem(
          "frame %d (%s): %s".formatted(frame.frame().sequence(), frame.reason(), frame.detail()));
    }

    private boolean problem(String line) {
      problemCount++;
      problems.accept(line);
      return true;
    }
  }
}
