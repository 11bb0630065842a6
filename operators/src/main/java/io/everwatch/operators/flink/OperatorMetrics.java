// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.cache.ContiguousPositions;
import io.everwatch.operators.cache.RowCounts;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineMetrics.Stages;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.RoundResult.Outcome;
import io.everwatch.operators.engine.RoundResult.Timings;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.model.BadFrameException;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;

/**
 * The metrics of one subtask, all in the group {@code everwatch}; docs/metrics.md says what each
 * means. Their number depends on the release only: no stream, topic or model is a label, and each
 * label's values are registered at the start, so that a rate has its zero before the first case.
 *
 * <p>Updated by the mailbox thread, per record or per round, never per token.
 */
final class OperatorMetrics {
  /** Values that a histogram's quantiles are taken of: the last so many. */
  private static final int WINDOW = 2048;

  /** Stands for a reason that this class does not know. */
  static final String OTHER = "OTHER";

  private enum Fate {
    USED,
    SURPLUS,
    DUPLICATE,
    SKIPPED,
    DEAD
  }

  /** Why a chunk was not understood. */
  enum SkipReason {
    STOPPED,
    OVERLOAD
  }

  private enum Stage {
    FRAMES,
    VISION,
    LOAD,
    PREFILL,
    DECODE,
    SAMPLE
  }

  private enum Rows {
    VISION,
    GENERATED,
    MEMORY,
    REST;

    private int in(RowCounts counts) {
      return switch (this) {
        case VISION -> counts.vision();
        case GENERATED -> counts.generated();
        case MEMORY -> counts.context();
        case REST -> counts.rest();
      };
    }
  }

  private final MetricGroup group;
  private final Counter framesReceived;
  private final Map<Fate, Counter> frames;
  private final Map<SkipReason, Counter> skipped;
  private final Map<String, Counter> deadLetters = new HashMap<>();
  private final Map<TextKind, Counter> events;
  private final Map<Mark, Counter> marks;
  private final Map<SessionOpener.Cause, Counter> rebuilds;
  private final Counter eventsWrittenAgain;
  private final Counter rounds;
  private final Counter roundsMerged;
  private final Counter chunksMerged;
  private final Counter roundsReplayed;
  private final Counter promptRows;
  private final Counter tokens;
  private final Counter logBytes;
  private final Counter snapshots;
  private final Counter snapshotBytes;
  private final Counter snapshotsFailed;
  private final Map<Stage, Histogram> stages;
  private final Map<Rows, Histogram> rows;
  private final Histogram positions;
  private final Histogram queue;
  private final Histogram firstToken;
  private final Histogram perToken;
  private final Histogram lag;

  /** Registers all but the gauges. */
  OperatorMetrics(MetricGroup operator) {
    group = operator.addGroup("everwatch");
    framesReceived = group.counter("framesReceived");
    frames = each(Fate.class, EnumSet.allOf(Fate.class), "fate", g -> g.counter("frames"));
    skipped =
        each(
            SkipReason.class,
            EnumSet.allOf(SkipReason.class),
            "skip",
            g -> g.counter("chunksSkipped"));
    deadLetterReasons()
        .forEach(
            reason ->
                deadLetters.put(reason, group.addGroup("reason", reason).counter("deadLetters")));
    events =
        each(
            TextKind.class,
            EnumSet.complementOf(EnumSet.of(TextKind.UNKNOWN)),
            "kind",
            g -> g.counter("events"));
    marks =
        each(
            Mark.class,
            EnumSet.complementOf(EnumSet.of(Mark.UNKNOWN)),
            "mark",
            g -> g.counter("markedEvents"));
    rebuilds =
        each(
            SessionOpener.Cause.class,
            EnumSet.allOf(SessionOpener.Cause.class),
            "cause",
            g -> g.counter("rebuilds"));
    eventsWrittenAgain = group.counter("eventsWrittenAgain");
    rounds = group.counter("rounds");
    roundsMerged = group.counter("roundsMerged");
    chunksMerged = group.counter("chunksMerged");
    roundsReplayed = group.counter("roundsReplayed");
    promptRows = group.counter("promptRows");
    tokens = group.counter("tokens");
    logBytes = group.counter("logBytes");
    snapshots = group.counter("snapshots");
    snapshotBytes = group.counter("snapshotBytes");
    snapshotsFailed = group.counter("snapshotsFailed");
    stages =
        each(Stage.class, EnumSet.allOf(Stage.class), "stage", g -> histogram(g, "stageMicros"));
    rows = each(Rows.class, EnumSet.allOf(Rows.class), "rows", g -> histogram(g, "streamRows"));
    positions = histogram(group, "streamPosition");
    queue = histogram(group, "queueMillis");
    firstToken = histogram(group, "timeToFirstTokenMillis");
    perToken = histogram(group, "timePerOutputTokenMicros");
    lag = histogram(group, "lagMillis");
  }

  /** The reasons that dead letters of this release have. */
  private static Set<String> deadLetterReasons() {
    return Stream.of(
            Arrays.stream(WireFormatException.Reason.values()).map(Enum::name),
            FrameRecordReader.REASONS.stream(),
            CommandRecordReader.REASONS.stream(),
            Stream.of(StreamLimit.REASON),
            Arrays.stream(Assembled.Reason.values()).map(Enum::name),
            Arrays.stream(BadFrameException.Reason.values()).map(Enum::name),
            Stream.of(OTHER))
        .flatMap(Function.identity())
        .collect(Collectors.toSet());
  }

  private <E extends Enum<E>, M> Map<E, M> each(
      Class<E> type, Set<E> values, String label, Function<MetricGroup, M> register) {
    Map<E, M> metrics = new EnumMap<>(type);
    for (E value : values) {
      metrics.put(value, register.apply(group.addGroup(label, value.name())));
    }
    return metrics;
  }

  private static Histogram histogram(MetricGroup group, String name) {
    return group.histogram(name, new DescriptiveStatisticsHistogram(WINDOW));
  }

  /**
   * Registers what is asked for when someone looks, from a thread of Flink's; the numbers of the
   * engine are those of the process, the same in each of its subtasks.
   */
  void gauges(Understanding streams, Engine engine, Unconfirmed texts) {
    gauge("inFlight", streams::inFlight);
    gauge("parked", streams::parked);
    gauge("running", streams::running);
    gauge("streams", streams::size);
    gauge("streamsAsleep", () -> streams.silence().asleep());
    gauge("streamsSilent", () -> streams.silence().silent());
    gauge("stateBytes", streams::stateBytes);
    gauge("eventsUnconfirmed", texts::size);
    group.gauge("inFlightBytes", (Gauge<Long>) streams::heapBytes);
    gauge("engineRoundsWaiting", () -> engine.metrics().waiting());
    gauge("engineRowsUsed", () -> engine.metrics().rowsUsed());
    gauge("engineRowsLimit", () -> engine.metrics().rowsLimit());
    gauge("engineDeviceLaunches", () -> engine.metrics().device().launches());
    gauge("engineDeviceReplays", () -> engine.metrics().device().replays());
    gauge("engineDeviceTableCopies", () -> engine.metrics().device().tableCopies());
    gauge("engineDeviceOtherCopies", () -> engine.metrics().device().otherCopies());
    gauge("engineDeviceResults", () -> engine.metrics().device().results());
    gauge("engineSteps", () -> engine.metrics().steps());
    gauge("engineSparseRows", () -> engine.metrics().sparsePrompts());
    gauge("engineDenseRows", () -> engine.metrics().prompts() - engine.metrics().sparsePrompts());
    gauge("engineSparseCells", () -> engine.metrics().sparse().chosenCells());
    gauge("engineSparseCausalCells", () -> engine.metrics().sparse().causalCells());
    gauge("engineSparseKeptMass", () -> engine.metrics().sparse().keptMass());
    gauge("engineSparseKeptSamples", () -> engine.metrics().sparse().keptSamples());
    gauge("engineSparseVerticalSlashHeads", () -> engine.metrics().sparse().verticalSlash());
    gauge("engineSparseQueryAwareHeads", () -> engine.metrics().sparse().queryAware());
  }

  private void gauge(String name, Gauge<? extends Number> value) {
    group.gauge(name, value);
  }

  /** A frame came, or a record that may have been meant as one; not the end of a stream. */
  void received() {
    framesReceived.inc();
  }

  void deadLetter(String reason) {
    of(frames, Fate.DEAD).inc();
    Counter known = deadLetters.get(reason);
    of(deadLetters, known == null ? OTHER : reason).inc();
  }

  /** An event goes out: its kind, its marks, and the frames of which it is the account. */
  void event(TextEvent event) {
    of(events, event.getKind()).inc();
    event.getMarks().forEach(mark -> of(marks, mark).inc());
    FrameCounts counts = event.getFrames();
    of(frames, Fate.USED).inc(counts.getUsed());
    of(frames, Fate.SURPLUS).inc(counts.getSurplus());
    of(frames, Fate.DUPLICATE).inc(counts.getDuplicate());
    if (event.getKind() == TextKind.GAP) { // of skipped chunks; else it counts no frame
      of(frames, Fate.SKIPPED)
          .inc(counts.getReceived() - counts.getSurplus() - counts.getDuplicate());
    }
  }

  /** A chunk was not understood. */
  void skipped(SkipReason reason) {
    of(skipped, reason).inc();
  }

  /** The memory of a stream could not be used. */
  void rebuilt(SessionOpener.Cause cause) {
    of(rebuilds, cause).inc();
  }

  /** Events of aborted transactions go out again. */
  void writtenAgain(int count) {
    eventsWrittenAgain.inc(count);
  }

  /** A round of the log was run again. */
  void replayed() {
    roundsReplayed.inc();
  }

  /** Several chunks were answered by one round. */
  void merged(MergedChunks chunks) {
    roundsMerged.inc();
    chunksMerged.inc(chunks.last() - chunks.first() + 1);
  }

  /** A chunk was answered. Of one without tokens of its own there is a lag only. */
  void answered(ChunkTurn turn, RoundResult result) {
    Timings times = result.timings();
    turn.chunk().frames().stream()
        .map(Frame::payload)
        .mapToLong(SourcedFrame::arrivalMillis)
        .max()
        .ifPresent(arrival -> lag.update(since(arrival, times.doneMillis())));
    int generated = tokens(result.outcome());
    if (generated == 0) {
      return;
    }
    rounds.inc();
    tokens.inc(generated);
    promptRows.inc(result.promptRows());
    queue.update(since(turn.closedMillis(), times.startedMillis()));
    firstToken.update(since(turn.closedMillis(), times.firstTokenMillis()));
    if (generated > 1) {
      long speaking = since(times.firstTokenMillis(), times.doneMillis());
      perToken.update(speaking * 1000 / (generated - 1));
    }
    stages(times.stages());
    rows(result.session().memory());
  }

  private static int tokens(Outcome outcome) {
    return outcome.match(spoke -> spoke.tokens(), silent -> silent.tokens(), failed -> 0);
  }

  /** Clocks of two machines may differ. */
  private static long since(long fromMillis, long toMillis) {
    return Math.max(0, toMillis - fromMillis);
  }

  private void stages(Stages nanos) {
    of(stages, Stage.FRAMES).update(nanos.frames() / 1000);
    of(stages, Stage.VISION).update(nanos.vision() / 1000);
    of(stages, Stage.LOAD).update(nanos.load() / 1000);
    of(stages, Stage.PREFILL).update(nanos.prefill() / 1000);
    of(stages, Stage.DECODE).update(nanos.decode() / 1000);
    of(stages, Stage.SAMPLE).update(nanos.sample() / 1000);
  }

  private void rows(StreamMemory memory) {
    RowCounts counts = RowCounts.of(memory);
    rows.forEach((kind, histogram) -> histogram.update(kind.in(counts)));
    positions.update((long) ContiguousPositions.last(memory));
  }

  /** A round was written to the log. */
  void logged(long bytes) {
    logBytes.inc(bytes);
  }

  /** The memory of a stream was written. */
  void snapshot(long bytes) {
    snapshots.inc();
    snapshotBytes.inc(bytes);
  }

  /** The memory of a stream could not be copied. */
  void snapshotFailed() {
    snapshotsFailed.inc();
  }

  private static <K, M> M of(Map<K, M> metrics, K key) {
    M metric = metrics.get(key);
    if (metric == null) {
      throw new IllegalArgumentException("no metric is registered for " + key);
    }
    return metric;
  }
}
