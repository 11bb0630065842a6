// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.evaluation.Scenes;
import io.everwatch.job.evaluation.Score;
import io.everwatch.job.evaluation.Scorer;
import io.everwatch.job.scene.Background;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadWorld;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * What an outage of a minute costs under each {@code overload}: what is said of it and after it,
 * and the time to catch up. Roads with their truth, the shipped model on one thread of the CPU, no
 * broker; an engine that is much faster than the cameras, so that what is too late is what came
 * before the last {@code LAG} seconds of the outage.
 *
 * <pre>
 *   OutageFigures [roads 6] [minutes of each 18] [chunks of a merged round 8] [SETTING=VALUE …]
 *   0 roads: the times alone
 * </pre>
 */
public final class OutageFigures {
  /** Seconds: of the outage, from one to the next, and how late a text may be. */
  private static final int OUTAGE = 60;

  private static final int PERIOD = 180;
  private static final int BEGIN = 60;
  private static final int LAG = 10;

  /** Seconds of the scored stretches. */
  private static final int STRETCH = 10;

  /** Of which the time to catch up is taken, so often. */
  private static final int STREAMS = 8;

  private static final int PASSES = 5;
  private static final int RESAMPLES = 1000;
  private static final long SEED = 900_201;

  private enum Overload {
    BLOCK,
    LIVE,
    MERGE
  }

  private final Engine engine;
  private final int merged; // chunks of a merged round

  private OutageFigures(Engine engine, int merged) {
    this.engine = engine;
    this.merged = merged;
  }

  public static void main(String[] arguments) throws Exception {
    int roads = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 6;
    int minutes = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 18;
    int merged = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 8;
    Map<String, String> settings =
        Arrays.stream(arguments)
            .skip(3)
            .map(argument -> argument.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    EngineOptions options =
        EngineOptions.builder("everwatch-tiny").threads(1).overrides(settings).build();
    try (Engine engine = Engines.open(options)) {
      OutageFigures figures = new OutageFigures(engine, merged);
      if (roads > 0) {
        figures.texts(roads, minutes * 60);
      }
      figures.times();
    }
  }

  private static boolean isLate(long second) {
    long inPeriod = second % PERIOD;
    return inPeriod >= BEGIN && inPeriod < BEGIN + OUTAGE - LAG;
  }

  private void texts(int roads, int seconds) throws Exception {
    System.out.println("| overload | F1 of the outage | F1 of 10 s after | F1 of 60 s after |");
    System.out.println("| --- | --- | --- | --- |");
    for (Overload overload : Overload.values()) {
      List<Road> played =
          LongStream.range(0, roads)
              .mapToObj(road -> new Road(SEED + road, seconds, overload, PERIOD))
              .toList();
      SparseCounters before = engine.metrics().sparse();
      RoundDriver.drive(engine, played, RoundDriver.PATIENCE);
      System.out.printf(
          Locale.ROOT,
          "| %s | %s | %s | %s |%n",
          overload.name().toLowerCase(Locale.ROOT),
          f1(played, BEGIN, BEGIN + OUTAGE),
          f1(played, BEGIN + OUTAGE, BEGIN + OUTAGE + STRETCH),
          f1(played, BEGIN + OUTAGE, PERIOD));
      if (overload == Overload.MERGE) {
        System.out.printf(
            Locale.ROOT,
            "%nrows prefilled: %.0f in a merged round of %d chunks, %.0f in one of one; density %.2f%n",
            played.stream().mapToLong(road -> road.mergedRows).sum()
                / (double) played.stream().mapToLong(road -> road.mergedRounds).sum(),
            merged,
            played.stream().mapToLong(road -> road.rows).sum()
                / (double) played.stream().mapToLong(road -> road.rounds).sum(),
            engine.metrics().sparse().since(before).density());
      }
    }
  }

  /** Over all outages, with the interval in which 95 % of resampled sets of outages lie. */
  private static String f1(List<Road> roads, int from, int to) {
    List<Score> outages = new ArrayList<>();
    for (Road road : roads) {
      List<Score> parts = road.scorer.stretches();
      for (int period = 0; (period + 1) * PERIOD <= road.seconds; period++) {
        int begin = period * PERIOD;
        outages.add(Score.sum(parts.subList((begin + from) / STRETCH, (begin + to) / STRETCH)));
      }
    }
    SplittableRandom random = new SplittableRandom(1);
    double[] resampled =
        IntStream.range(0, RESAMPLES)
            .mapToObj(
                i ->
                    Score.sum(
                            random
                                .ints(outages.size(), 0, outages.size())
                                .mapToObj(outages::get)
                                .toList())
                        .rate("f1")
                        .value())
            .mapToDouble(OptionalDouble::orElseThrow)
            .sorted()
            .toArray();
    Score all = Score.sum(outages);
    return String.format(
        Locale.ROOT,
        "%.3f (%.3f to %.3f; %d events, %d outages)",
        all.rate("f1").value().orElseThrow(),
        resampled[RESAMPLES / 40],
        resampled[RESAMPLES - 1 - RESAMPLES / 40],
        all.rate("recall").whole(),
        outages.size());
  }

  /** Backlogs of a minute; the first pass is not counted, for the code is cold. */
  private void times() throws Exception {
    System.out.printf("%n| overload | CPU time of a minute of %d streams | rounds |%n", STREAMS);
    System.out.println("| --- | --- | --- |");
    Map<Overload, List<Long>> nanos = new EnumMap<>(Overload.class);
    Map<Overload, Long> rounds = new EnumMap<>(Overload.class);
    for (int pass = 0; pass <= PASSES; pass++) {
      for (Overload overload : Overload.values()) {
        Taken before = taken(overload, BEGIN);
        Taken all = taken(overload, BEGIN + OUTAGE);
        if (pass > 0) {
          nanos.computeIfAbsent(overload, o -> new ArrayList<>()).add(all.nanos - before.nanos);
          rounds.put(overload, all.rounds - before.rounds);
        }
      }
    }
    nanos.forEach(
        (overload, each) -> {
          Collections.sort(each);
          System.out.printf(
              Locale.ROOT,
              "| %s | %.2f s (%.2f to %.2f) | %d |%n",
              overload.name().toLowerCase(Locale.ROOT),
              each.get(PASSES / 2) / 1e9,
              each.get(0) / 1e9,
              each.get(PASSES - 1) / 1e9,
              rounds.get(overload));
        });
  }

  /** Of the processor, for these rounds. */
  private record Taken(long nanos, long rounds) {}

  private Taken taken(Overload overload, int seconds) throws Exception {
    List<Road> roads =
        LongStream.range(0, STREAMS)
            .mapToObj(road -> new Road(SEED + road, seconds, overload, seconds))
            .toList();
    for (Road road : roads) {
      road.record();
    }
    long cpu = ProcessFigures.cpuNanos();
    RoundDriver.drive(engine, roads, RoundDriver.PATIENCE);
    return new Taken(
        ProcessFigures.cpuNanos() - cpu,
        roads.stream().mapToLong(road -> road.rounds + road.mergedRounds).sum());
  }

  /** One road on its way through the engine. */
  private final class Road implements Rounds {
    private final RoadWorld world;
    private final Scorer scorer;
    private final StreamSettings told;
    private final String streamId;
    private final int seconds;
    private final Overload overload;
    private final List<RoadWorld.Second> recorded = new ArrayList<>();
    private final List<List<EncodedFrame>> pictures = new ArrayList<>();
    private int shown; // seconds that were taken from the road
    private int second; // that was told
    private long rows;
    private long rounds;
    private long mergedRows;
    private long mergedRounds;

    Road(long seed, int seconds, Overload overload, int scoredLength) {
      world = new RoadWorld(new RoadScene(seed, RoadScene.DEFAULT_DENSITY, Optional.empty()));
      streamId = "road-" + seed;
      told = engine.settings().withInstruction(world.instruction());
      int stretches = Math.max(1, seconds / STRETCH);
      scorer =
          new Scorer(
              Scenes.open("road", seed, RoadScene.DEFAULT_DENSITY).grammar(),
              stretches,
              seconds,
              told.visualRounds());
      this.seconds = seconds;
      this.overload = overload;
      if (seconds % scoredLength != 0) {
        throw new IllegalArgumentException(
            "%d seconds of each road; expected a multiple of %d".formatted(seconds, scoredLength));
      }
    }

    /** Makes all pictures, so that their making is not measured. */
    void record() {
      while (pictures.size() < seconds) {
        take();
      }
    }

    private void take() {
      RoadWorld.Second next = world.next();
      recorded.add(next);
      List<EncodedFrame> frames = new ArrayList<>();
      next.frames()
          .forEach(
              state ->
                  frames.add(
                      new EncodedFrame(
                          Encoding.RGB24, Background.SIZE, Background.SIZE, world.expose(state))));
      pictures.add(frames);
    }

    private RoundInput chunk(boolean dropVision) {
      if (pictures.size() == shown) {
        take();
      }
      List<EncodedFrame> frames = pictures.get(shown);
      pictures.set(shown, List.of());
      return new RoundInput(shown++, frames, dropVision);
    }

    @Override
    public String streamId() {
      return streamId;
    }

    @Override
    public StreamSettings settings() {
      return told;
    }

    @Override
    public Optional<RoundInput> next() throws IOException {
      boolean skipped = false;
      while (overload == Overload.LIVE && shown < seconds && isLate(shown)) {
        chunk(false);
        skipped = true; // for longer than max_gap
      }
      if (shown == seconds) {
        return Optional.empty();
      }
      if (overload == Overload.MERGE && isLate(shown)) {
        List<RoundInput> together = new ArrayList<>();
        while (together.size() < merged && shown < seconds && isLate(shown)) {
          together.add(chunk(false));
        }
        RoundInput last = together.remove(together.size() - 1);
        return Optional.of(last.after(together.stream().map(one -> one.answered("")).toList()));
      }
      return Optional.of(chunk(skipped));
    }

    @Override
    public void answered(RoundResult result) {
      if (result.outcome() instanceof RoundResult.Failed failed) {
        throw new IllegalStateException(
            "chunk %d of %s failed: %s".formatted(second, streamId, failed.reason()));
      }
      if (result.input().earlier().size() == merged - 1) {
        mergedRounds++;
        mergedRows += result.promptRows();
      } else {
        rounds++;
        rows += result.promptRows();
      }
      String said = result.outcome().match(RoundResult.Spoke::text, silent -> "", failed -> "");
      while (second < result.input().chunk()) {
        tell("");
      }
      tell(said);
    }

    private void tell(String said) {
      scorer.score(second, recorded.get(second).truth(), said);
      recorded.set(second, new RoadWorld.Second("", List.of()));
      second++;
    }
  }
}
