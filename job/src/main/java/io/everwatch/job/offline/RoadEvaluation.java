// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.scene.Background;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadScore;
import io.everwatch.job.scene.RoadScorer;
import io.everwatch.job.scene.RoadWorld;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Holds the engine against roads whose truth is known. All roads run at once, which makes the
 * batches full and changes no sentence.
 */
public final class RoadEvaluation {
  /** The stream's life is scored in so many parts: a memory that decays shows. */
  public static final int STRETCHES = 10;

  private static final long CHUNK_MICROS = 1_000_000;

  /** Hears every second of every stream. */
  @FunctionalInterface
  public interface Listener {
    void told(RoadScene scene, long second, String truth, String said);
  }

  /**
   * The scores.
   *
   * @param stretches the tenths of the streams' life, pooled over the roads
   * @param failures rounds that the engine could not make; they count as silence
   * @param rebuilds memories that were thrown away and made again
   * @param rebuiltRows prefilled to make them again, all together
   * @param sparse what sparse attention did meanwhile
   */
  public record Outcome(
      List<RoadScore> stretches,
      long failures,
      long rebuilds,
      long rebuiltRows,
      SparseCounters sparse) {
    /** Over the whole life. */
    public RoadScore whole() {
      return RoadScore.sum(stretches);
    }
  }

  /** Never throws a memory away. */
  public static final long NO_REBUILDS = Long.MAX_VALUE;

  private final Engine engine;
  private final StreamSettings settings;
  private final long rebuildEvery;

  /** An evaluation of this engine's model; the same exception. */
  public RoadEvaluation(Engine engine) {
    this(engine, NO_REBUILDS);
  }

  /**
   * One of rebuilt memories: every so many seconds a stream forgets everything and gets its whole
   * past back in one prefill, the words that it said and the pictures that its memory would have.
   *
   * @throws IllegalArgumentException when the model takes other chunks than the road makes
   */
  public RoadEvaluation(Engine engine, long rebuildEvery) {
    this.engine = engine;
    this.settings = engine.settings();
    this.rebuildEvery = rebuildEvery;
    if (settings.chunkMicros() != CHUNK_MICROS || settings.framesPerChunk() != RoadWorld.FPS) {
      throw new IllegalArgumentException(
          "the model takes %d frames every %d us; the road makes %d every %d us, and its truth is told by the second. Use a model that was trained on the road"
              .formatted(
                  settings.framesPerChunk(), settings.chunkMicros(), RoadWorld.FPS, CHUNK_MICROS));
    }
  }

  /**
   * Plays all roads to their end.
   *
   * @param seconds length of each stream
   */
  public Outcome run(List<RoadScene> scenes, long seconds, Listener listener)
      throws IOException, InterruptedException {
    List<Road> roads = scenes.stream().map(scene -> new Road(scene, seconds, listener)).toList();
    SparseCounters before = engine.metrics().sparse();
    RoundDriver.drive(engine, roads, RoundDriver.PATIENCE);
    List<RoadScore> pooled =
        IntStream.range(0, STRETCHES)
            .mapToObj(
                part ->
                    RoadScore.sum(
                        roads.stream().map(road -> road.scorer.stretches().get(part)).toList()))
            .toList();
    return new Outcome(
        pooled,
        roads.stream().mapToLong(road -> road.failures).sum(),
        roads.stream().mapToLong(road -> road.rebuilds).sum(),
        roads.stream().mapToLong(road -> road.rebuiltRows).sum(),
        engine.metrics().sparse().since(before));
  }

  /** One road on its way through the engine. */
  private final class Road implements Rounds {
    private final RoadScene scene;
    private final RoadWorld world;
    private final RoadScorer scorer;
    private final StreamSettings told;
    private final long seconds;
    private final Listener listener;
    private final List<RoundInput> past = new ArrayList<>(); // kept only where it is shown again
    private long second;
    private String truth = "";
    private long failures;
    private long rebuilds;
    private long rebuiltRows;

    Road(RoadScene scene, long seconds, Listener listener) {
      this.scene = scene;
      this.world = new RoadWorld(scene);
      this.told = settings.withInstruction(world.instruction());
      this.scorer = new RoadScorer(STRETCHES, seconds, settings.visualRounds());
      this.seconds = seconds;
      this.listener = listener;
    }

    @Override
    public String streamId() {
      return "road-" + scene.seed();
    }

    @Override
    public StreamSettings settings() {
      return told;
    }

    @Override
    public boolean afresh() {
      return second > 0 && second % rebuildEvery == 0;
    }

    @Override
    public Optional<RoundInput> next() {
      if (second == seconds) {
        return Optional.empty();
      }
      RoadWorld.Second now = world.next();
      truth = now.truth();
      List<EncodedFrame> frames = new ArrayList<>();
      now.frames()
          .forEach(
              state ->
                  frames.add(
                      new EncodedFrame(
                          Encoding.RGB24, Background.SIZE, Background.SIZE, world.expose(state))));
      RoundInput chunk = new RoundInput(second, frames, false);
      return Optional.of(afresh() ? chunk.after(past) : chunk);
    }

    /**
     * Remembers a second as long as it can be asked for, its pictures as long as they are shown.
     */
    private void passed(RoundInput chunk, String said) {
      if (rebuildEvery != NO_REBUILDS) {
        past.add(new RoundInput(chunk.chunk(), chunk.frames(), false).answered(said));
        int blind = past.size() - told.visualRounds();
        if (blind >= 0) {
          past.set(blind, past.get(blind).withoutFrames());
        }
      }
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
      if (afresh()) {
        rebuilds++;
        rebuiltRows += result.promptRows();
      }
      if (!(result.outcome() instanceof RoundResult.Failed)) {
        passed(result.input(), said);
      }
      scorer.score(second, truth, said);
      listener.told(scene, second, truth, said);
      second++;
    }
  }
}
