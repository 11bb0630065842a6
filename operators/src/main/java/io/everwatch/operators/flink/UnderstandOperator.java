// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static java.util.Objects.requireNonNull;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.flink.FrameRecord.Unusable;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.stream.Stream;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.jspecify.annotations.Nullable;

/**
 * Frames in, text out: Flink's side of it. What happens to a stream is in {@link Understanding};
 * here is when it may happen.
 *
 * <p>The mailbox thread alone touches state and output. The engine answers with one mail per device
 * step. A watermark leaves when all turns that entered before it have left. A checkpoint barrier
 * waits a bounded time for running rounds; turns that were not answered by then are stored.
 *
 * <p>Configuration: {@code engines}, {@code settings}, {@code spreads}, {@code committed}, {@code
 * recorded}, {@code decisions}. State: see {@link StreamStore} and {@link Unconfirmed}. Rebuilt in
 * {@code open}: engine and seat, from {@code engines}; the queues of streams that had turns
 * waiting, from state; all else when a stream's next frame comes.
 */
final class UnderstandOperator extends AbstractStreamOperator<TextRecord>
    implements OneInputStreamOperator<FrameRecord, TextRecord>, BoundedOneInput {
  private static final long serialVersionUID = 1;

  /** Flink's name of the state back end that keeps all state as objects. */
  private static final String HEAP_BACKEND = "hashmap";

  private final transient MailboxExecutor mailbox;
  private final transient EngineProvider engines;
  private final transient UnderstandSettings settings;
  private final transient SpreadRegistry spreads;
  private final transient Optional<CommittedText> committed;

  /** Of the run that is run again; empty: this one decides by itself. */
  private final transient Optional<RecordedDecisions> recorded;

  private final transient OverloadDecisions decisions;
  private final transient WatermarkGate gate = new WatermarkGate();

  private transient @Nullable Engine engine;
  private transient @Nullable Seat seat;
  private transient @Nullable Understanding understanding;
  private transient @Nullable Unconfirmed unconfirmed;
  private transient @Nullable NumericsHistory numerics;

  /** Idle, waiting for the turns under way to leave. */
  private transient @Nullable WatermarkStatus heldStatus;

  /** The checkpoint whose barrier passes: nothing is submitted until it is through. */
  private transient long barrier;

  /** A record is being taken: mails that run meanwhile find it waiting. */
  private transient boolean taking;

  private transient volatile boolean closed;

  UnderstandOperator(
      StreamOperatorParameters<TextRecord> parameters,
      EngineProvider engines,
      UnderstandSettings settings,
      SpreadRegistry spreads,
      Optional<CommittedText> committed,
      Optional<RecordedDecisions> recorded,
      OverloadDecisions decisions) {
    super(parameters);
    mailbox = parameters.getMailboxExecutor();
    this.engines = engines;
    this.settings = settings;
    this.spreads = spreads;
    this.committed = committed;
    this.recorded = recorded;
    this.decisions = decisions;
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    numerics = new NumericsHistory(context.getOperatorStateStore());
  }

  @Override
  public void open() throws Exception {
    super.open();
    if (recorded.isEmpty()) {
      checkSpreads();
    }
    Engine opened = acquire();
    engine = opened;
    Seat taken = opened.attach(new EngineMail(mailbox, this::apply));
    seat = taken;
    OperatorMetrics metrics = new OperatorMetrics(getMetricGroup());
    Unconfirmed texts =
        new Unconfirmed(getRuntimeContext(), this::setCurrentKey, committed, metrics);
    unconfirmed = texts;
    StreamStore store = new StreamStore(getRuntimeContext(), this::setCurrentKey);
    HeapBound heap = heapBound();
    new RestoreCheck(opened, requireNonNull(numerics), settings.state(), heap)
        .check(store, keysWith(StreamStore.STREAM).stream().filter(this::isWanted).toList());
    SnapshotWriter snapshots =
        new SnapshotWriter(
            taken,
            store,
            mailbox,
            settings.snapshotInterval().toMillis(),
            stream -> !closed && understanding().knows(stream),
            metrics);
    Outlet outlet = new OperatorOutlet(output, texts, getProcessingTimeService(), metrics);
    Understanding made =
        new Understanding(
            opened,
            taken,
            store,
            snapshots,
            heap,
            gate,
            settings,
            decisions,
            outlet,
            getProcessingTimeService(),
            metrics);
    understanding = made;
    metrics.gauges(made, opened, texts);
    if (recorded.isEmpty()) {
      // Before what waited, which may speak at once.
      for (TextRecord text : texts.restore(keysWith(Unconfirmed.STATE))) {
        outlet.text(text, Turn.NO_TIMESTAMP);
      }
    }
    if (settings.limits().streams() > 0) {
      made.restored(keysWith(StreamStore.STREAM).size());
    }
    made.resume(keysWith(StreamStore.PENDING).stream().filter(this::isWanted).toList());
    if (recorded.isEmpty()) { // whoever runs again what was recorded takes no decision of its own
      made.silence().restored(keysWith(StreamStore.STREAM));
      lookLater();
    }
  }

  /** The only timer of the subtask, but for the one of a barrier. */
  private void lookLater() {
    ProcessingTimeService clock = getProcessingTimeService();
    var unused = // Flink fails the task with what the look throws
        clock.registerTimer(
            clock.getCurrentProcessingTime() + understanding().silence().periodMillis(),
            time -> {
              if (!closed) {
                understanding().silence().look(taking);
                release();
                lookLater();
              }
            });
  }

  /** A model or a setting that is wrong is so at every try; a device may be free at the next. */
  private Engine acquire() {
    try {
      return engines.acquire(TaskGpus.of(getRuntimeContext()));
    } catch (IllegalArgumentException e) { // BadModelException is one
      throw HopelessStart.failure(getRuntimeContext().getTaskInfo().getAttemptNumber(), e);
    }
  }

  /** Before a frame is lost to a second stream of the same name; starting again would not help. */
  private void checkSpreads() {
    spreads
        .contradictions(keysWith(StreamStore.STREAM))
        .ifPresent(
            message -> {
              throw new SuppressRestartsException(new IllegalStateException(message));
            });
  }

  private boolean isWanted(StreamKey key) {
    return recorded.isEmpty() || recorded.get().key().equals(key);
  }

  /** A gigabyte of rows in RocksDB is its business. */
  private HeapBound heapBound() {
    boolean inHeap = getKeyedStateBackend().getBackendTypeIdentifier().equals(HEAP_BACKEND);
    return new HeapBound(inHeap ? settings.state().heapBytes() : Long.MAX_VALUE);
  }

  private List<StreamKey> keysWith(String state) {
    try (Stream<StreamKey> keys =
        this.<StreamKey>getKeyedStateBackend().getKeys(state, VoidNamespace.INSTANCE)) {
      return keys.distinct().toList();
    }
  }

  @Override
  public void processElement(StreamRecord<FrameRecord> element) throws Exception {
    FrameRecord record = element.getValue();
    long timestamp = element.hasTimestamp() ? element.getTimestamp() : Turn.NO_TIMESTAMP;
    Understanding streams = understanding();
    if (record.content() instanceof Unusable unusable) {
      streams.refuse(record.origin(), unusable, timestamp);
      return;
    }
    taking = true;
    while (streams.ending(record.key())) { // what comes now begins a new stream of the same name
      mailbox.yield();
    }
    for (Turn turn : streams.assemble(record, timestamp)) {
      while (!streams.enter(record.key(), turn)) {
        mailbox.yield();
      }
    }
    taking = false;
    release();
  }

  private void apply(List<RoundResult> results) throws Exception {
    if (closed) {
      return;
    }
    for (RoundResult result : results) {
      understanding().answered(result);
    }
    release();
  }

  /** Sends on what waited for turns that have left. */
  private void release() throws Exception {
    for (var mark = gate.poll(); mark.isPresent(); mark = gate.poll()) {
      super.processWatermark(mark.get());
    }
    WatermarkStatus status = heldStatus;
    if (status != null && understanding().inFlight() == 0) {
      heldStatus = null;
      super.processWatermarkStatus(status);
    }
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    gate.offer(mark);
    release();
  }

  @Override
  public void processWatermarkStatus(WatermarkStatus status) throws Exception {
    if (understanding().inFlight() == 0) {
      super.processWatermarkStatus(status);
    } else { // active again before idle went out: downstream need not hear of either
      heldStatus = heldStatus != null && status.isActive() ? null : status;
    }
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpoint) throws Exception {
    super.prepareSnapshotPreBarrier(checkpoint);
    Understanding streams = understanding();
    barrier = checkpoint;
    streams.pause();
    boolean[] late = {settings.drain().isZero()};
    ProcessingTimeService clock = getProcessingTimeService();
    ScheduledFuture<?> deadline =
        clock.registerTimer(
            clock.getCurrentProcessingTime() + settings.drain().toMillis(),
            time -> late[0] = true); // its mail ends the yield below
    while (streams.running() > 0 && !late[0]) {
      mailbox.yield(); // answers that come now still leave before the barrier
    }
    deadline.cancel(false);
    streams.checkpoint();
    mailbox.execute(
        () -> {
          if (barrier == checkpoint && !closed) {
            streams.unpause();
            release();
          }
        },
        "understand: go on after checkpoint %s",
        checkpoint);
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    understanding().save();
    unconfirmed().save(context.getCheckpointId());
    requireNonNull(numerics)
        .store(
            requireNonNull(engine).numerics(),
            getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() == 0);
  }

  @Override
  public void notifyCheckpointComplete(long checkpoint) throws Exception {
    super.notifyCheckpointComplete(checkpoint);
    unconfirmed().completed(checkpoint);
  }

  @Override
  public void endInput() throws Exception {
    understanding().inputEnded();
    while (understanding().inFlight() > 0) {
      mailbox.yield();
    }
    release();
  }

  /** Also after a failed {@code open}, and after a cancellation in the middle of a step. */
  @Override
  public void close() throws Exception {
    closed = true;
    // In this order, each whatever the others do: the engine ends after its seat.
    try (AutoCloseable last = super::close;
        AutoCloseable second = () -> close(engine);
        AutoCloseable first = () -> close(seat)) {
      // nothing but to close them
    }
  }

  private static void close(@Nullable AutoCloseable part) throws Exception {
    if (part != null) {
      part.close();
    }
  }

  /** What the subtask does with its streams; once the operator is open. */
  Understanding understanding() {
    return opened(understanding);
  }

  private Unconfirmed unconfirmed() {
    return opened(unconfirmed);
  }

  private static <T> T opened(@Nullable T made) {
    if (made == null) {
      throw new IllegalStateException("the operator was not opened");
    }
    return made;
  }
}
