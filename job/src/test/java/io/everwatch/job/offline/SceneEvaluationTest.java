// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.evaluation.Outcome;
import io.everwatch.job.evaluation.Question;
import io.everwatch.job.evaluation.Rate;
import io.everwatch.job.evaluation.SceneGrammar;
import io.everwatch.job.evaluation.Scenes;
import io.everwatch.job.evaluation.Treatment;
import io.everwatch.job.evaluation.TrueCamera;
import io.everwatch.job.evaluation.TrueSecond;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadWorld;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SceneEvaluationTest {
  private static final List<RoadScene> SCENES = List.of(RoadScene.ofSeed(31), RoadScene.ofSeed(32));
  private static final SceneEvaluation.Listener NOBODY = (seed, second, truth, said) -> {};

  private static List<TrueCamera> cameras() {
    return SCENES.stream().map(road -> Scenes.open("road", road.seed(), road.density())).toList();
  }

  /** What happens on the road of a stream, by second. */
  private static Map<String, List<String>> truths(int seconds) {
    Map<String, List<String>> truths = new HashMap<>();
    for (RoadScene scene : SCENES) {
      RoadWorld world = new RoadWorld(scene);
      truths.put(
          "camera-" + scene.seed(),
          Stream.generate(() -> world.next().truth()).limit(seconds).toList());
    }
    return truths;
  }

  @Test
  void aModelThatTellsTheTruthScoresOneOnItsInstructionAndFrames() throws Exception {
    Map<String, List<String>> truths = truths(300);
    Map<String, String> instructions = new HashMap<>();
    try (FakeEngine engine =
        new FakeEngine(
            (session, input) -> {
              instructions.put(session.streamId(), session.settings().instruction());
              assertThat(input.frames()).hasSize(2);
              assertThat(input.frames().get(0).encoding()).isEqualTo(Encoding.RGB24);
              return FakeEngine.says(
                  truths.getOrDefault(session.streamId(), List.of()).get((int) input.chunk()));
            })) {
      Outcome outcome = new SceneEvaluation(engine, Treatment.NONE).run(cameras(), 300, NOBODY);
      assertThat(outcome.failures()).isZero();
      assertThat(outcome.stretches()).hasSize(10);
      assertThat(
              outcome.whole().rate("recall").whole()
                  + outcome.whole().rate("silenceRecall").whole())
          .isEqualTo(600);
      assertThat(outcome.whole().rate("f1").value()).hasValue(1);
      assertThat(outcome.whole().rate("silenceRecall").value()).hasValue(1);
      assertThat(outcome.whole().rate("numberRight").value()).hasValue(1);
    }
    for (RoadScene scene : SCENES) {
      assertThat(instructions)
          .containsEntry("camera-" + scene.seed(), new RoadWorld(scene).instruction());
    }
  }

  @Test
  void aMuteModelHasSilenceAndNothingElse() throws Exception {
    List<String> told = new ArrayList<>();
    try (FakeEngine engine = new FakeEngine(FakeEngine.MUTE)) {
      Outcome outcome =
          new SceneEvaluation(engine, Treatment.NONE)
              .run(cameras(), 100, (seed, second, truth, said) -> told.add(truth));
      assertThat(outcome.whole().rate("silenceRecall").value()).hasValue(1);
      assertThat(outcome.whole().rate("recall").value()).hasValue(0);
    }
    assertThat(told).hasSize(200);
    assertThat(told).containsAll(truths(100).get("camera-31"));
  }

  /** The model is shown its whole past again: its words, and the pictures that it would have. */
  @Test
  void aRebuiltMemoryHasTheWholePastAndNoMorePicturesThanItsWindow() throws Exception {
    int every = 20;
    try (FakeEngine engine =
        new FakeEngine(
            (session, input) -> {
              if (input.chunk() == 0 || input.chunk() % every > 0) {
                assertThat(input.earlier()).isEmpty();
                assertThat(session.rounds()).isEqualTo(input.chunk() % every);
              } else {
                assertThat(session.rounds()).isZero();
                assertThat(input.earlier()).hasSize((int) input.chunk());
                assertThat(input.earlier())
                    .allMatch(past -> past.frames().isEmpty() == past.chunk() <= input.chunk() - 16)
                    .allMatch(past -> said(past.chunk()).equals(past.said()));
              }
              return FakeEngine.says(said(input.chunk()));
            })) {
      Outcome outcome =
          new SceneEvaluation(engine, Treatment.NONE.withRebuildEvery(every))
              .run(cameras(), 70, NOBODY);
      assertThat(outcome.failures()).isZero();
      assertThat(outcome.rebuilds()).isEqualTo(2 * 3);
      assertThat(outcome.rebuiltRows()).isEqualTo(2 * 3 * 30); // as this engine has it
    }
  }

  @Test
  void aMemoryRebuiltFromWordsHasNoPicturesOfThePast() throws Exception {
    try (FakeEngine engine =
        new FakeEngine(
            (session, input) -> {
              assertThat(input.frames()).isNotEmpty();
              assertThat(input.earlier())
                  .hasSize(input.chunk() % 20 > 0 ? 0 : (int) input.chunk())
                  .allMatch(past -> past.frames().isEmpty())
                  .allMatch(past -> said(past.chunk()).equals(past.said()));
              return FakeEngine.says(said(input.chunk()));
            })) {
      Outcome outcome =
          new SceneEvaluation(engine, Treatment.NONE.withRebuildEvery(20).withWordsOnly(true))
              .run(cameras(), 50, NOBODY);
      assertThat(outcome.failures()).isZero();
      assertThat(outcome.rebuilds()).isEqualTo(2 * 2);
    }
  }

  private static String said(long second) {
    return second % 3 == 0 ? "" : " Word " + second + ".";
  }

  /** The paper's sliding window without overlap. */
  @Test
  void aStreamThatBeginsAgainHasItsEarlierWordsAsContext() throws Exception {
    try (FakeEngine engine =
        new FakeEngine(
            (session, input) -> {
              assertThat(input.earlier()).isEmpty();
              assertThat(session.rounds()).isEqualTo(input.chunk() % 10);
              if (input.chunk() >= 10) {
                long newest = input.chunk() / 10 * 10 - 1;
                assertThat(session.settings().instruction())
                    .startsWith(" Watch the road")
                    .endsWith(said(newest - 1) + said(newest));
              }
              return FakeEngine.says(said(input.chunk()));
            })) {
      Outcome outcome =
          new SceneEvaluation(engine, Treatment.NONE.withRestartEvery(10))
              .run(cameras(), 60, NOBODY);
      assertThat(outcome.failures()).isZero();
      assertThat(outcome.rebuilds()).isZero();
    }
  }

  /** No more of them than the text window would hold. */
  @Test
  void theContextOfAStreamThatBeginsAgainIsBounded() throws Exception {
    List<Integer> lengths = new ArrayList<>();
    try (FakeEngine engine =
        new FakeEngine(
            (session, input) -> {
              lengths.add(
                  session.settings().instruction().strip().split("(?=\\.)|\\s+", -1).length);
              return FakeEngine.says(" Word after word after word.");
            })) {
      new SceneEvaluation(engine, Treatment.NONE.withRestartEvery(50)).run(cameras(), 300, NOBODY);
    }
    assertThat(Collections.max(lengths)).isBetween(370, 384 + 12);
  }

  @Test
  void aBlindStreamSeesBlack() throws Exception {
    try (FakeEngine engine =
        new FakeEngine(
            (session, input) -> {
              assertThat(input.frames())
                  .allSatisfy(frame -> assertThat(frame.bytes()).containsOnly(0));
              return FakeEngine.says("");
            })) {
      Outcome outcome =
          new SceneEvaluation(engine, Treatment.NONE.withBlind(true)).run(cameras(), 20, NOBODY);
      assertThat(outcome.failures()).isZero();
    }
  }

  /** A question takes the place of the sentence in the scores, and the sentence may follow. */
  @Test
  void questionsAreAskedInTurnAndScoredBySource() throws Exception {
    Map<Long, String> asked = new HashMap<>();
    try (FakeEngine engine =
        new FakeEngine(
            (session, input) -> {
              if (!input.question().isEmpty()) {
                asked.put(input.chunk(), input.question());
              }
              return FakeEngine.says(
                  input.question().contains("light") ? " Red. The light turns red." : "");
            })) {
      Outcome outcome =
          new SceneEvaluation(engine, Treatment.NONE.withAskEvery(5))
              .run(List.of(new Interrogator(camera())), 30, NOBODY);
      assertThat(asked.keySet()).containsExactlyInAnyOrder(5L, 10L, 15L, 20L, 25L);
      assertThat(asked).containsEntry(5L, " How many?").containsEntry(10L, " What light?");
      assertThat(outcome.whole().rate("answers.sight")).isEqualTo(new Rate(2, 2));
      assertThat(outcome.whole().rate("answers.text")).isEqualTo(new Rate(0, 3));
      assertThat(
              outcome.whole().rate("recall").whole()
                  + outcome.whole().rate("silenceRecall").whole())
          .isEqualTo(25);
    }
  }

  private static TrueCamera camera() {
    return cameras().get(0);
  }

  /** A camera of which two things may be asked at any time. */
  private static final class Interrogator implements TrueCamera {
    private final TrueCamera camera;

    Interrogator(TrueCamera camera) {
      this.camera = camera;
    }

    @Override
    public long seed() {
      return camera.seed();
    }

    @Override
    public String instruction() {
      return camera.instruction();
    }

    @Override
    public int fps() {
      return camera.fps();
    }

    @Override
    public TrueSecond next() {
      TrueSecond second = camera.next();
      return new TrueSecond(
          second.truth(),
          second.frames(),
          List.of(
              new Question(" What light?", "Red.", "sight"),
              new Question(" How many?", "Two.", "text")));
    }

    @Override
    public SceneGrammar grammar() {
      return camera.grammar();
    }
  }

  @Test
  void failedRoundsAreCountedAndAreSilence() throws Exception {
    try (FakeEngine engine = new FakeEngine((session, input) -> new Failed("no memory"))) {
      Outcome outcome = new SceneEvaluation(engine, Treatment.NONE).run(cameras(), 50, NOBODY);
      assertThat(outcome.failures()).isEqualTo(100);
      assertThat(outcome.whole().rate("numberStep").whole()).isZero();
    }
  }

  @Test
  void aModelOfAnotherRhythmIsRefused() {
    StreamSettings s = FakeEngine.SETTINGS;
    StreamSettings faster =
        new StreamSettings(
            4,
            s.chunkMicros(),
            s.minPixels(),
            s.maxPixels(),
            16,
            16,
            true,
            16,
            384,
            20,
            0,
            1,
            0,
            1,
            7,
            "",
            s.queryPlacement(),
            9000,
            0,
            0,
            1,
            PrefillSettings.DEFAULT);
    try (FakeEngine engine = new FakeEngine(faster, FakeEngine.MUTE)) {
      assertThatThrownBy(
              () -> new SceneEvaluation(engine, Treatment.NONE).run(cameras(), 60, NOBODY))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("takes 4 frames every 1000000 us; the scene makes 2");
    }
  }
}
