// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.evaluation.Question;
import io.everwatch.job.evaluation.Score;
import io.everwatch.job.evaluation.Scorer;
import io.everwatch.job.evaluation.Treatment;
import io.everwatch.job.evaluation.TrueCamera;
import io.everwatch.job.evaluation.TrueSecond;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One camera whose truth is known, on its way through the engine. */
final class SceneStream implements Rounds {
  /** The published visual window (StreamingVLM §2), whatever the settings are: scores compare. */
  private static final int FAR_SECONDS = 16;

  private final TrueCamera camera;
  private final StreamSettings settings;
  private final long seconds;
  private final Treatment treatment;
  private final SceneEvaluation.Listener listener;
  private final CostMeter meter;
  private final Scorer scorer;
  private final List<RoundInput> past = new ArrayList<>(); // kept only where it is shown again
  private final List<String> words = new ArrayList<>(); // the same
  private long second;
  private String truth = "";
  private Optional<Question> asked = Optional.empty();
  private long failures;
  private long rebuilds;
  private long rebuiltRows;

  SceneStream(
      TrueCamera camera,
      StreamSettings settings,
      long seconds,
      Treatment treatment,
      SceneEvaluation.Listener listener,
      CostMeter meter) {
    this.camera = camera;
    this.settings = settings;
    this.seconds = seconds;
    this.treatment = treatment;
    this.listener = listener;
    this.meter = meter;
    scorer = new Scorer(camera.grammar(), SceneEvaluation.STRETCHES, seconds, FAR_SECONDS);
  }

  @Override
  public String streamId() {
    return "camera-" + camera.seed();
  }

  /** A stream that begins again has its earlier words behind the instruction. */
  @Override
  public StreamSettings settings() {
    StringBuilder earlier = new StringBuilder();
    int room = settings.textWindow();
    for (int i = words.size() - 1; i >= 0; i--) {
      room -= tokens(words.get(i));
      if (room < 0) {
        break;
      }
      earlier.insert(0, words.get(i));
    }
    return settings.withInstruction(camera.instruction() + earlier);
  }

  /** Words and full stops: what a sentence has at least, and of the scenes' vocabulary exactly. */
  private static int tokens(String sentence) {
    return sentence.strip().split("(?=\\.)|\\s+", -1).length;
  }

  @Override
  public boolean afresh() {
    return second > 0
        && (second % treatment.rebuildEvery() == 0 || second % treatment.restartEvery() == 0);
  }

  @Override
  public Optional<RoundInput> next() {
    if (second == seconds) {
      return Optional.empty();
    }
    TrueSecond now = camera.next();
    truth = now.truth();
    List<EncodedFrame> frames =
        treatment.blind() ? now.frames().stream().map(SceneStream::black).toList() : now.frames();
    RoundInput chunk = new RoundInput(second, frames, false);
    asked = question(now.questions());
    if (asked.isPresent()) {
      chunk = chunk.asked(asked.get().text());
    }
    return Optional.of(past.isEmpty() || !afresh() ? chunk : chunk.after(past));
  }

  /** They come in turn. */
  private Optional<Question> question(List<Question> questions) {
    if (questions.isEmpty() || second == 0 || second % treatment.askEvery() != 0) {
      return Optional.empty();
    }
    long turn = second / treatment.askEvery();
    return Optional.of(questions.get((int) (turn % questions.size())));
  }

  private static EncodedFrame black(EncodedFrame frame) {
    return new EncodedFrame(
        Encoding.RGB24,
        frame.width(),
        frame.height(),
        new byte[3 * frame.width() * frame.height()]);
  }

  @Override
  public void answered(RoundResult result) {
    String said =
        result
            .outcome()
            .match(
                RoundResult.Spoke::text,
                silent -> "",
                failed -> {
                  failures++;
                  return "";
                });
    if (afresh() && treatment.rebuildEvery() != Treatment.NEVER) {
      rebuilds++;
      rebuiltRows += result.promptRows();
    }
    if (!(result.outcome() instanceof RoundResult.Failed)) {
      passed(result.input(), said);
    }
    if (asked.isPresent()) {
      scorer.scoreAnswer(second, asked.get(), said);
    } else {
      scorer.score(second, truth, said);
    }
    meter.passed(result.contextRows());
    listener.told(camera.seed(), second, truth, said);
    second++;
  }

  /** Remembers a second as long as it can be asked for, its pictures as long as they are shown. */
  private void passed(RoundInput chunk, String said) {
    if (treatment.rebuildEvery() != Treatment.NEVER) {
      past.add(chunk.after(List.of()).answered(said));
      int blind = past.size() - (treatment.wordsOnly() ? 1 : settings.visualRounds());
      if (blind >= 0) {
        past.set(blind, past.get(blind).withoutFrames());
      }
    }
    if (treatment.restartEvery() != Treatment.NEVER && !said.isEmpty()) {
      words.add(said);
    }
  }

  List<Score> stretches() {
    return scorer.stretches();
  }

  long failures() {
    return failures;
  }

  long rebuilds() {
    return rebuilds;
  }

  long rebuiltRows() {
    return rebuiltRows;
  }
}
