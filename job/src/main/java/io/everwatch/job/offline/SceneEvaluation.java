// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.evaluation.Outcome;
import io.everwatch.job.evaluation.Score;
import io.everwatch.job.evaluation.Treatment;
import io.everwatch.job.evaluation.TrueCamera;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds the engine against cameras whose truth is known. All cameras run at once, which makes the
 * batches full and changes no sentence.
 */
public final class SceneEvaluation {
  /** The stream's life is scored in so many parts: a memory that decays shows. */
  public static final int STRETCHES = 10;

  private static final long CHUNK_MICROS = 1_000_000;

  /** Hears every second of every stream. */
  @FunctionalInterface
  public interface Listener {
    void told(long seed, long second, String truth, String said);
  }

  private final Engine engine;
  private final StreamSettings settings;
  private final Treatment treatment;

  /** An evaluation of this engine's model. */
  public SceneEvaluation(Engine engine, Treatment treatment) {
    this.engine = engine;
    this.settings = engine.settings();
    this.treatment = treatment;
  }

  /**
   * Plays all cameras to their end.
   *
   * @param seconds length of each stream
   * @throws IllegalArgumentException when the model takes other chunks than a camera makes
   */
  public Outcome run(List<TrueCamera> cameras, long seconds, Listener listener)
      throws IOException, InterruptedException {
    cameras.forEach(this::requireRhythm);
    CostMeter meter = new CostMeter(STRETCHES, seconds, cameras.size());
    List<SceneStream> streams = new ArrayList<>();
    for (TrueCamera camera : cameras) {
      streams.add(new SceneStream(camera, settings, seconds, treatment, listener, meter));
    }
    SparseCounters before = engine.metrics().sparse();
    RoundDriver.drive(engine, streams, RoundDriver.PATIENCE);
    List<List<Score>> scores = streams.stream().map(SceneStream::stretches).toList();
    return new Outcome(
        scores,
        streams.stream().mapToLong(SceneStream::failures).sum(),
        streams.stream().mapToLong(SceneStream::rebuilds).sum(),
        streams.stream().mapToLong(SceneStream::rebuiltRows).sum(),
        engine.metrics().sparse().since(before),
        meter.costs());
  }

  private void requireRhythm(TrueCamera camera) {
    if (settings.chunkMicros() != CHUNK_MICROS || settings.framesPerChunk() != camera.fps()) {
      throw new IllegalArgumentException(
          "the model takes %d frames every %d us; the scene makes %d every %d us, and its truth is told by the second. Use a model that was trained on the scene"
              .formatted(
                  settings.framesPerChunk(), settings.chunkMicros(), camera.fps(), CHUNK_MICROS));
    }
  }
}
