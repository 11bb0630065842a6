// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineMetrics;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * How fast an engine understands streams that never wait: every stream has one round under way. The
 * clock starts when every stream's memory is full and the code is warm.
 */
public final class SpeedTest {
  /**
   * What to play.
   *
   * @param frames of one stream; played again and again
   */
  public record Stream(StreamSettings settings, List<EncodedFrame> frames) {
    public Stream {
      frames = List.copyOf(frames);
      int needed = settings.framesPerChunk();
      if (frames.size() < needed) {
        throw new IllegalArgumentException(
            "%d frames; expected at least those of one chunk, %d".formatted(frames.size(), needed));
      }
    }
  }

  /**
   * What was measured.
   *
   * @param before the engine's counts when the clock started
   * @param cpuNanos processor time of the whole process while measured
   * @param latencies nanoseconds from submitted to answered, one per chunk, ascending
   */
  public record Measured(
      EngineMetrics before, EngineMetrics after, long nanos, long cpuNanos, List<Long> latencies) {
    public long chunks() {
      return after.rounds() - before.rounds();
    }

    public double chunksPerSecond() {
      return chunks() * 1e9 / nanos;
    }

    public long tokens() {
      return after.tokens() - before.tokens();
    }

    /** Decoding and sampling, shared by the streams of a step. */
    public double millisPerToken() {
      EngineMetrics.Stages stages = stages();
      return tokens() == 0 ? 0 : (stages.decode() + stages.sample()) / 1e6 / tokens();
    }

    /** Nanoseconds of the measured time, by stage. */
    public EngineMetrics.Stages stages() {
      EngineMetrics.Stages a = before.stages();
      EngineMetrics.Stages b = after.stages();
      return new EngineMetrics.Stages(
          b.frames() - a.frames(),
          b.vision() - a.vision(),
          b.load() - a.load(),
          b.prefill() - a.prefill(),
          b.decode() - a.decode(),
          b.sample() - a.sample());
    }

    /** The latency that a share of the chunks kept, in milliseconds. */
    public double latencyMillis(double share) {
      int index = (int) Math.ceil(share * latencies.size()) - 1;
      return latencies.isEmpty() ? 0 : latencies.get(Math.max(0, index)) / 1e6;
    }
  }

  private final Engine engine;
  private final LongSupplier nanoTime;

  public SpeedTest(Engine engine) {
    this(engine, System::nanoTime);
  }

  SpeedTest(Engine engine, LongSupplier nanoTime) {
    this.engine = engine;
    this.nanoTime = nanoTime;
  }

  /**
   * Measures once.
   *
   * @param warmUpRounds rounds of each stream before the clock starts
   * @param length for how long is measured
   * @throws IllegalStateException when a round fails: its time would mean nothing
   */
  public Measured run(List<Stream> streams, long warmUpRounds, Duration length)
      throws IOException, InterruptedException {
    Run run = new Run(streams.size(), warmUpRounds, length);
    List<Player> players = new ArrayList<>();
    for (Stream stream : streams) {
      players.add(new Player("bench-" + players.size(), stream, run));
    }
    RoundDriver.drive(engine, players, RoundDriver.PATIENCE);
    return run.measured();
  }

  /** Where the run stands: warm-up, measuring, over. */
  private final class Run {
    private final long warmUpRounds;
    private final Duration length;
    private final List<Long> latencies = new ArrayList<>();
    private int cold;
    private long start;
    private long end;
    private long cpuNanos;
    private Optional<EngineMetrics> before = Optional.empty();
    private Optional<EngineMetrics> after = Optional.empty();

    Run(int streams, long warmUpRounds, Duration length) {
      this.cold = streams;
      this.warmUpRounds = warmUpRounds;
      this.length = length;
    }

    /** Takes the time of a round; {@code rounds} is how many its stream has made. */
    void finished(long rounds, long nanos) {
      long now = nanoTime.getAsLong();
      if (before.isEmpty()) {
        if (rounds == warmUpRounds) {
          cold--;
        }
        if (cold == 0) {
          before = Optional.of(engine.metrics());
          start = now;
          cpuNanos = ProcessFigures.cpuNanos();
        }
      } else if (after.isEmpty()) {
        latencies.add(nanos);
        if (now - start >= length.toNanos()) {
          after = Optional.of(engine.metrics());
          end = now;
          cpuNanos = ProcessFigures.cpuNanos() - cpuNanos;
        }
      }
    }

    boolean isOver() {
      return after.isPresent();
    }

    Measured measured() {
      return new Measured(
          before.orElseThrow(),
          after.orElseThrow(),
          end - start,
          cpuNanos,
          latencies.stream().sorted().toList());
    }
  }

  private final class Player implements Rounds {
    private final String streamId;
    private final Stream stream;
    private final Run run;
    private long rounds;
    private long submitted;

    Player(String streamId, Stream stream, Run run) {
      this.streamId = streamId;
      this.stream = stream;
      this.run = run;
    }

    @Override
    public String streamId() {
      return streamId;
    }

    @Override
    public StreamSettings settings() {
      return stream.settings();
    }

    @Override
    public Optional<RoundInput> next() {
      if (run.isOver()) {
        return Optional.empty();
      }
      int perChunk = stream.settings().framesPerChunk();
      int chunks = stream.frames().size() / perChunk;
      int first = (int) (rounds % chunks) * perChunk;
      submitted = nanoTime.getAsLong();
      return Optional.of(
          new RoundInput(rounds, stream.frames().subList(first, first + perChunk), false));
    }

    @Override
    public void answered(RoundResult result) {
      result
          .outcome()
          .match(
              spoke -> true,
              silent -> true,
              failed -> {
                throw new IllegalStateException(
                    "round %d of %s failed: %s".formatted(rounds, streamId, failed.reason()));
              });
      rounds++;
      run.finished(rounds, nanoTime.getAsLong() - submitted);
    }
  }
}
