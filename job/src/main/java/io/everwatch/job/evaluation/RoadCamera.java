// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import io.everwatch.job.scene.Background;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadWorld;
import io.everwatch.job.scene.Sentences;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The road that the shipped model was trained on. */
final class RoadCamera implements TrueCamera {
  private static final SceneGrammar GRAMMAR =
      new SceneGrammar() {
        @Override
        public String seen(String sentence) {
          return Sentences.withoutNumber(sentence);
        }

        @Override
        public List<RecalledFact> facts() {
          return List.of(new RunningNumber());
        }
      };

  private final RoadScene scene;
  private final RoadWorld world;

  RoadCamera(long seed, double density) {
    scene = new RoadScene(seed, density, Optional.empty());
    world = new RoadWorld(scene);
  }

  /** How the road's sentences are read. */
  static SceneGrammar roadGrammar() {
    return GRAMMAR;
  }

  @Override
  public long seed() {
    return scene.seed();
  }

  @Override
  public String instruction() {
    return world.instruction();
  }

  @Override
  public int fps() {
    return RoadWorld.FPS;
  }

  @Override
  public TrueSecond next() {
    RoadWorld.Second second = world.next();
    List<EncodedFrame> frames =
        second.frames().stream()
            .map(
                state ->
                    new EncodedFrame(
                        Encoding.RGB24, Background.SIZE, Background.SIZE, world.expose(state)))
            .toList();
    return new TrueSecond(second.truth(), frames, List.of());
  }

  @Override
  public SceneGrammar grammar() {
    return GRAMMAR;
  }

  /** The count of the kind that the instruction names; goes in rounds. */
  private static final class RunningNumber implements RecalledFact {
    @Override
    public String label() {
      return "number";
    }

    @Override
    public Optional<String> said(String sentence) {
      OptionalInt number = Sentences.number(sentence);
      return number.isPresent()
          ? Optional.of(Integer.toString(number.getAsInt()))
          : Optional.empty();
    }

    @Override
    public boolean possible(String sentence) {
      return Sentences.isEntry(sentence);
    }

    @Override
    public String next(Optional<String> base, String sentence) {
      int last = base.map(Sentences::number).orElse(OptionalInt.empty()).orElse(0);
      return Integer.toString(last % Sentences.COUNT_WRAP + 1);
    }
  }
}
