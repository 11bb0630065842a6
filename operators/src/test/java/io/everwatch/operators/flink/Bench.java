// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.TextEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.operators.testutils.MockEnvironment;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.heap.HeapKeyedStateBackend;
import org.apache.flink.runtime.state.storage.JobManagerCheckpointStorage;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.mailbox.TaskMailbox;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;

/** One subtask of the operator under Flink's harness, at an engine that outlives it. */
final class Bench implements AutoCloseable {
  static final int MAX_PARALLELISM = 128;

  /** A barrier waits for what runs; memories are written by time only, and that is far away. */
  static final UnderstandSettings PATIENT = settings(Duration.ofSeconds(10), Duration.ofHours(1));

  /** The same, but a barrier waits for nothing. */
  static final UnderstandSettings IMPATIENT = settings(Duration.ZERO, Duration.ofHours(1));

  private static final Map<Integer, Engine> ENGINES = new ConcurrentHashMap<>();
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final int number = NUMBERS.incrementAndGet();
  final OneInputStreamOperatorTestHarness<FrameRecord, TextRecord> harness;

  /** What the operator gave to the engine, in order. */
  final List<RoundInput> submitted = new ArrayList<>();

  /** The streams of these. */
  final List<String> submittedStreams = new ArrayList<>();

  /** The newest session of each stream. */
  final Map<String, StreamSession> sessions = new ConcurrentHashMap<>();

  /** Hears in the engine's thread how many rounds ended, before the operator does. */
  volatile IntConsumer answered = rounds -> {};

  /** Snapshots of memories that were asked for, and whether they fail from now on. */
  final AtomicInteger snapshotsAsked = new AtomicInteger();

  final AtomicBoolean snapshotsFail = new AtomicBoolean();

  /** Snapshots of memories end when it does. */
  volatile CompletableFuture<Void> snapshotsMayEnd = CompletableFuture.completedFuture(null);

  private long checkpoint;

  Bench(
      Engine engine,
      UnderstandSettings settings,
      int parallelism,
      int index,
      @Nullable OperatorSubtaskState state,
      @Nullable StateBackend backend)
      throws Exception {
    this(engine, settings, parallelism, index, state, backend, SpreadRegistry.NONE);
  }

  Bench(
      Engine engine,
      UnderstandSettings settings,
      int parallelism,
      int index,
      @Nullable OperatorSubtaskState state,
      @Nullable StateBackend backend,
      SpreadRegistry spreads)
      throws Exception {
    harness = harness(factory(engine, settings, spreads, null), parallelism, index);
    open(state, backend);
  }

  /** Before a sink with transactions, alone. */
  Bench(
      Engine engine,
      UnderstandSettings settings,
      @Nullable CommittedText committed,
      int parallelism,
      int index,
      @Nullable OperatorSubtaskState state,
      @Nullable StateBackend backend)
      throws Exception {
    harness =
        harness(factory(engine, settings, SpreadRegistry.NONE, committed), parallelism, index);
    open(state, backend);
  }

  /** With decisions in the place of its own. */
  Bench(
      Engine engine,
      UnderstandSettings settings,
      OverloadDecisions decisions,
      int parallelism,
      int index,
      @Nullable OperatorSubtaskState state,
      @Nullable StateBackend backend)
      throws Exception {
    harness =
        harness(
            factory(engine, settings, SpreadRegistry.NONE, null).withDecisions(decisions),
            parallelism,
            index);
    open(state, backend);
  }

  private static OneInputStreamOperatorTestHarness<FrameRecord, TextRecord> harness(
      UnderstandOperatorFactory factory, int parallelism, int index) throws Exception {
    return new KeyedOneInputStreamOperatorTestHarness<>(
        factory, FrameRecord::key, StreamKey.TYPE, MAX_PARALLELISM, parallelism, index);
  }

  /** At a time of the day; it is 0 otherwise. */
  Bench(
      Engine engine,
      UnderstandSettings settings,
      @Nullable OperatorSubtaskState state,
      long nowMillis)
      throws Exception {
    harness = harness(factory(engine, settings, SpreadRegistry.NONE, null), 1, 0);
    harness.setProcessingTime(nowMillis);
    open(state, null);
  }

  /** In a task of its own, say one whose metrics someone reads. */
  Bench(
      Engine engine,
      UnderstandSettings settings,
      MockEnvironment task,
      @Nullable OperatorSubtaskState state)
      throws Exception {
    harness = new InTask(factory(engine, settings, SpreadRegistry.NONE, null), task);
    open(state, null);
  }

  /** Flink's own keyed harness takes a factory or a task, not both. */
  private static final class InTask
      extends OneInputStreamOperatorTestHarness<FrameRecord, TextRecord> {
    InTask(UnderstandOperatorFactory factory, MockEnvironment task) throws Exception {
      super(factory, task);
      config.setStatePartitioner(0, (KeySelector<FrameRecord, StreamKey>) FrameRecord::key);
      config.setStateKeySerializer(
          StreamKey.TYPE.createSerializer(getExecutionConfig().getSerializerConfig()));
      config.setOperatorName("understand"); // without one its metrics are not registered
      config.serializeAllConfigs();
    }
  }

  private UnderstandOperatorFactory factory(
      Engine engine,
      UnderstandSettings settings,
      SpreadRegistry spreads,
      @Nullable CommittedText committed) {
    ENGINES.put(number, new BorrowedEngine(engine, this));
    int own = number; // what the factory takes along must be serialisable
    return new UnderstandOperatorFactory(
        gpus -> Objects.requireNonNull(ENGINES.get(own)), settings, spreads, committed);
  }

  private void open(@Nullable OperatorSubtaskState state, @Nullable StateBackend backend)
      throws Exception {
    if (backend != null) {
      harness.setStateBackend(backend);
    }
    harness.setCheckpointStorage(new JobManagerCheckpointStorage(256 << 20));
    harness.setup(
        TextRecord.TYPE.createSerializer(harness.getExecutionConfig().getSerializerConfig()));
    if (state != null) {
      harness.initializeState(state);
    }
    harness.open();
  }

  static UnderstandSettings settings(Duration drain, Duration snapshotInterval) {
    return new UnderstandSettings(64, drain, snapshotInterval, 1 << 16);
  }

  Bench(Engine engine, UnderstandSettings settings) throws Exception {
    this(engine, settings, null);
  }

  /** The only subtask, on the heap. */
  Bench(Engine engine, UnderstandSettings settings, @Nullable OperatorSubtaskState state)
      throws Exception {
    this(engine, settings, 1, 0, state, null);
  }

  UnderstandOperator operator() {
    return (UnderstandOperator) harness.getOperator();
  }

  Understanding understanding() {
    return operator().understanding();
  }

  StateOf stateOf(String stream) {
    return new StateOf(this, stream);
  }

  void offer(FrameRecord record, long timestamp) throws Exception {
    harness.processElement(new StreamRecord<>(record, timestamp));
  }

  void offer(FrameRecord record) throws Exception {
    harness.processElement(new StreamRecord<>(record));
  }

  /** So many seconds of frames of each camera, in turn. */
  void offerSeconds(int count, Camera... cameras) throws Exception {
    for (int i = 0; i < 2 * count; i++) {
      for (Camera camera : cameras) {
        offer(camera.frame());
      }
    }
  }

  /** Values in state on the heap. */
  int stateEntries() {
    return ((HeapKeyedStateBackend<?>) operator().<StreamKey>getKeyedStateBackend())
        .numKeyValueStateEntries();
  }

  /** Runs mails until nothing is in flight. */
  void settle() throws Exception {
    while (understanding().inFlight() > 0) {
      mailbox().take(0).run();
    }
    runMails();
  }

  /** Runs the mails that wait. */
  void runMails() throws Exception {
    for (var mail = mailbox().tryTake(0); mail.isPresent(); mail = mailbox().tryTake(0)) {
      mail.get().run();
    }
  }

  /** Waits for one mail and runs it. */
  void runMail() throws Exception {
    mailbox().take(0).run();
  }

  /** Runs mails until so many memories have been written since open. */
  void awaitSnapshots(int count) throws Exception {
    while (understanding().memoriesWritten() < count) {
      runMail();
    }
  }

  TaskMailbox mailbox() {
    return harness.getTaskMailbox();
  }

  OperatorSubtaskState snapshot() throws Exception {
    checkpoint++;
    harness.prepareSnapshotPreBarrier(checkpoint);
    return harness.snapshot(checkpoint, checkpoint);
  }

  List<TextRecord> records() {
    return harness.extractOutputValues();
  }

  List<TextEvent> events() throws WireFormatException {
    List<TextEvent> events = new ArrayList<>();
    for (TextRecord record : records()) {
      events.add(WireFormat.decodeText(record.value()));
    }
    return events;
  }

  List<DeadLetter> deadLetters() throws WireFormatException {
    List<DeadLetter> letters = new ArrayList<>();
    var queue = harness.getSideOutput(DeadLetters.TAG);
    if (queue != null) {
      for (StreamRecord<DeadLetterRecord> letter : queue) {
        letters.add(WireFormat.decodeDeadLetter(letter.getValue().value()));
      }
    }
    return letters;
  }

  @Override
  public void close() throws Exception {
    harness.close();
    ENGINES.remove(number);
  }
}
