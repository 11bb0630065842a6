// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.scene.Background;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadWorld;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.cache.RetentionWindow;
import io.everwatch.operators.cache.StreamingVlmPolicy;
import io.everwatch.operators.engine.StreamProbe;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.SettingsResolver;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * One device against another on a road, step by step: the reference speaks, and the other is made
 * to say the same words, so that both remember the same rows; at each step it tells what it would
 * have said itself. Greedy, without penalty: what differs are the devices' numbers alone.
 */
public final class DeviceComparison implements AutoCloseable {
  /** Closer scores than this are a tie, which the last bits of float32 may decide either way. */
  public static final double NEAR_TIE = 1e-3;

  /** Turns that must be equal, of a hundred, where the other computes in bf16. */
  private static final double EQUAL_IN_BF16 = 0.99;

  private final Side reference;
  private final Side other;

  /** A model on one device. */
  private record Side(Backend backend, Model model, StreamSettings settings)
      implements AutoCloseable {
    static Side open(
        String name, DeviceName device, BackendOptions options, Map<String, String> s) {
      ModelFolder folder = ModelFolder.open(name);
      Backend backend = Backends.open(device, options);
      try {
        Model model = Model.load(folder, backend);
        Map<String, String> greedy = new HashMap<>(s);
        greedy.put("temperature", "0");
        greedy.put("repetition_penalty", "1");
        return new Side(
            backend,
            model,
            SettingsResolver.open(folder, model.config()).resolve(greedy).settings());
      } catch (RuntimeException | Error e) {
        try (backend) {
          throw e;
        }
      }
    }

    StreamProbe probe(StreamSettings told) {
      RetentionWindow window =
          new RetentionWindow(
              told.textRounds(),
              told.visualRounds(),
              told.cutText(),
              told.textSink(),
              told.textWindow());
      return new StreamProbe(
          model,
          backend,
          told,
          new StreamingVlmPolicy(window, model.grammar().turnTokens()),
          told.instruction());
    }

    /** The best of the ids that belong to a token. */
    int best(float[] logits) {
      int best = -1;
      for (int id = 0; id < logits.length; id++) {
        if (model.tokenizer().isToken(id) && (best < 0 || logits[id] > logits[best])) {
          best = id;
        }
      }
      return best;
    }

    @Override
    public void close() {
      backend.close();
    }
  }

  /**
   * What came of it.
   *
   * @param turns one per second
   * @param equalTurns in which the other chose every token as the reference did
   * @param nearTies of the other turns, those whose first difference was a tie
   * @param tokens chosen in all
   * @param otherTokens of these, chosen otherwise
   * @param widestMargin by which the reference preferred its token where the other chose another
   * @param rms of the logits' difference, against their standard deviation
   */
  public record Outcome(
      long turns,
      long equalTurns,
      long nearTies,
      long tokens,
      long otherTokens,
      double widestMargin,
      double rms,
      DType type,
      String referenceNumerics,
      String otherNumerics) {
    public double equalShare() {
      return turns == 0 ? 1 : (double) equalTurns / turns;
    }

    /** All turns in float32, ties aside; 99 of a hundred in bf16. */
    public boolean asExpected() {
      return type == DType.F32 ? equalTurns + nearTies == turns : equalShare() >= EQUAL_IN_BF16;
    }
  }

  /**
   * Loads the model on both.
   *
   * @param model a shipped one, or a folder
   * @param overrides of the model's settings
   */
  public DeviceComparison(
      String model,
      DeviceName reference,
      BackendOptions referenceOptions,
      DeviceName other,
      BackendOptions otherOptions,
      Map<String, String> overrides) {
    this.reference = Side.open(model, reference, referenceOptions, overrides);
    try {
      this.other = Side.open(model, other, otherOptions, overrides);
    } catch (RuntimeException | Error e) {
      try (this.reference) {
        throw e;
      }
    }
  }

  /**
   * Plays a road.
   *
   * @param progress hears the number of seconds done, after each
   */
  public Outcome run(RoadScene scene, long seconds, LongConsumer progress) {
    RoadWorld world = new RoadWorld(scene);
    StreamSettings told = reference.settings().withInstruction(world.instruction());
    Tally tally = new Tally();
    try (StreamProbe first = reference.probe(told);
        StreamProbe second = other.probe(told)) {
      for (long chunk = 0; chunk < seconds; chunk++) {
        List<EncodedFrame> frames = new ArrayList<>();
        world
            .next()
            .frames()
            .forEach(
                state ->
                    frames.add(
                        new EncodedFrame(
                            Encoding.RGB24,
                            Background.SIZE,
                            Background.SIZE,
                            world.expose(state))));
        StreamProbe.Round spoken = first.round(chunk, frames, null);
        tally.add(spoken, second.round(chunk, frames, spoken.output()));
        progress.accept(chunk + 1);
      }
    }
    return tally.outcome();
  }

  private final class Tally {
    private long turns;
    private long equalTurns;
    private long nearTies;
    private long tokens;
    private long otherTokens;
    private double widestMargin;
    private double squaredDifference;
    private double squares;
    private double sum;
    private long numbers;

    void add(StreamProbe.Round spoken, StreamProbe.Round repeated) {
      double firstMargin = -1;
      for (int step = 0; step < spoken.output().length; step++) {
        float[] here = spoken.logits().get(step);
        float[] there = repeated.logits().get(step);
        compare(here, there);
        int said = spoken.output()[step];
        int would = other.best(there);
        tokens++;
        if (would != said) {
          otherTokens++;
          double margin = here[said] - here[would];
          widestMargin = Math.max(widestMargin, margin);
          firstMargin = firstMargin < 0 ? Math.max(0, margin) : firstMargin;
        }
      }
      turns++;
      if (firstMargin < 0) {
        equalTurns++;
      } else if (firstMargin < NEAR_TIE) {
        nearTies++;
      }
    }

    private void compare(float[] here, float[] there) {
      for (int id = 0; id < here.length; id++) {
        double difference = (double) here[id] - there[id];
        squaredDifference += difference * difference;
        squares += (double) here[id] * here[id];
        sum += here[id];
      }
      numbers += here.length;
    }

    Outcome outcome() {
      double mean = numbers == 0 ? 0 : sum / numbers;
      double deviation = numbers == 0 ? 1 : Math.sqrt(squares / numbers - mean * mean);
      return new Outcome(
          turns,
          equalTurns,
          nearTies,
          tokens,
          otherTokens,
          widestMargin,
          numbers == 0 ? 0 : Math.sqrt(squaredDifference / numbers) / deviation,
          other.backend().dtype(),
          reference.backend().numerics(),
          other.backend().numerics());
    }
  }

  @Override
  public void close() {
    try (reference) {
      other.close();
    }
  }
}
