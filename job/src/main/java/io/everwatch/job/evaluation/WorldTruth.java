// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import io.everwatch.job.world.Second;
import io.everwatch.job.world.View;
import io.everwatch.job.world.WorldCamera;
import io.everwatch.job.world.WorldScene;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.util.List;
import java.util.Locale;

/** A camera of {@code job.world}, with what it knows of itself. */
final class WorldTruth implements TrueCamera {
  private final WorldScene scene;
  private final WorldCamera camera;

  WorldTruth(WorldScene scene) {
    this.scene = scene;
    camera = new WorldCamera(scene);
  }

  @Override
  public long seed() {
    return scene.seed();
  }

  @Override
  public String instruction() {
    return camera.instruction();
  }

  @Override
  public int fps() {
    return scene.view().fps();
  }

  @Override
  public TrueSecond next() {
    Second second = camera.step();
    View view = scene.view();
    List<EncodedFrame> frames =
        camera.render(second).stream()
            .map(frame -> new EncodedFrame(Encoding.RGB24, view.width(), view.height(), frame))
            .toList();
    List<Question> questions =
        second.questions().stream()
            .map(
                question ->
                    new Question(
                        question.text(),
                        question.answer(),
                        question.source().name().toLowerCase(Locale.ROOT)))
            .toList();
    return new TrueSecond(second.sentence(), frames, questions);
  }

  @Override
  public SceneGrammar grammar() {
    return WorldGrammar.of(scene.place());
  }
}
