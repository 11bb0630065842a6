// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Gap;
import io.everwatch.operators.chunk.AssemblerState;
import io.everwatch.operators.chunk.ChunkAssembler;
import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.flink.Turn.CommandTurn;
import io.everwatch.operators.flink.Turn.SkippedTurn;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.schemas.avro.Mark;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One stream as the operator works on it; the mailbox thread's alone. */
final class StreamState {
  /**
   * A turn in the queue.
   *
   * @param pass the watermarks that wait for it
   * @param bytes what it takes, in the heap or in state
   * @param parked its pictures are in state only
   */
  record Queued(Turn turn, WatermarkGate.Pass pass, long bytes, boolean parked) {
    Queued loaded() {
      return new Queued(turn, pass, bytes, false);
    }
  }

  /** No time of the processing clock. */
  static final long NEVER = -1;

  final StreamKey key;
  final ChunkAssembler<SourcedFrame> assembler;
  final ArrayDeque<Queued> queue = new ArrayDeque<>();

  /** Marks for the next event. */
  final Set<Mark> marks = EnumSet.noneOf(Mark.class);

  /** At the engine; null until the first chunk, or until the stream came back from state. */
  @Nullable StreamSession session;

  /** Of the settings that its session works with. */
  String promptDigest = "";

  /** What commands have made of it. */
  StreamOrders orders = StreamOrders.NONE;

  /** What those that still wait will have made of it: the assembler is ahead of the queue. */
  StreamOrders ordered = StreamOrders.NONE;

  /** Chunks that were skipped and that no event has told of yet. */
  @Nullable SkippedRun skipped;

  /** Its frames whose pictures lie in state, but for those of the log. */
  final Set<SourcedFrame> stored = StoredPictures.identities();

  /** Number that the next picture gets in state. */
  long nextPicture;

  /** Turns of its queue that are not parked. */
  int inHeap;

  /** A round of this stream is at the engine. */
  boolean running;

  /** The chunk that was decided to be understood, once it is the next; else -1. */
  long accepted = -1;

  /** Those that were decided to be understood together, of which {@link #accepted} is the first. */
  @Nullable MergedChunks merge;

  /** The engine refused a round of several chunks: those up to this one have a round each. */
  long aloneThrough = -1;

  /** When a chunk was last decided to be understood; before the first, when one was decided on. */
  long acceptedMillis = NEVER;

  /** When the round at the engine was submitted; processing time. */
  long submittedMillis;

  /** An end-of-stream record waits in the queue: what comes after it begins a new stream. */
  boolean ending;

  /** The engine failed a round that was to forget the visual rounds. */
  boolean dropVision;

  /** Number that the next round of the log gets. */
  long nextLogged;

  /** Next round of the log to run again; {@link #nextLogged} when the memory is up to date. */
  long nextReplayed;

  /** Bytes of pictures of what is run again now. */
  long replayedBytes;

  /** One prefill for all rounds with given answers was refused. */
  boolean replaysOneByOne;

  /** Rounds of the log below this number take the answer that they had. */
  long saidBefore;

  /** The chunk after the last one that was closed, and where that one ended. */
  long nextChunk;

  long endMicros;

  /** Rows that came into its memory so far. */
  ComputedRows computed = ComputedRows.NONE;

  /** Bytes of the log. */
  long logBytes;

  /** Bytes of the last snapshot of its memory, 0 before the first. */
  long memoryBytes;

  /** Copies of its memory that failed since the last good one: the next is made by time. */
  int memoryFailures;

  /** When the memory is to be written again at the latest; processing time. */
  long memoryDueMillis;

  /** When its last record came; processing time. */
  long seenMillis;

  /** Chunk before which its silence was told last. */
  long staleChunk = StoredStream.NEVER_STALE;

  /** The newest record of the frames topic that it took; a command's place in the order of all. */
  Optional<Origin> lastFrame = Optional.empty();

  /** Digest of the model and identity of the numerics that its memory was made with. */
  String model;

  String numerics;

  private StreamState(
      StreamKey key, ChunkAssembler<SourcedFrame> assembler, String model, String numerics) {
    this.key = key;
    this.assembler = assembler;
    this.model = model;
    this.numerics = numerics;
  }

  static StreamState start(StreamKey key, ChunkSettings settings, String model, String numerics) {
    return new StreamState(
        key, ChunkAssembler.start(settings, SourcedFrame::sizeBytes), model, numerics);
  }

  static StreamState restore(StreamKey key, ChunkSettings settings, StoredStream stored) {
    StreamState stream =
        new StreamState(
            key,
            ChunkAssembler.restore(settings, stored.assembler(), SourcedFrame::sizeBytes),
            stored.model(),
            stored.numerics());
    stream.orders = stored.orders();
    stream.ordered = stored.orders();
    stream.skipped = stored.skipped().stream().findFirst().orElse(null);
    stream.merge = stored.merge().stream().findFirst().orElse(null);
    stream.aloneThrough = stored.aloneThrough();
    stream.accepted = stream.merge == null ? -1 : stream.merge.first();
    stream.nextPicture = stored.nextPicture();
    stream.assembled().stream().filter(SourcedFrame::isStored).forEach(stream.stored::add);
    stream.marks.addAll(stored.marks());
    stream.dropVision = stored.dropVision();
    stream.computed = stored.computed();
    stream.nextLogged = stored.nextLogged();
    stream.nextReplayed = stored.nextLogged();
    stream.nextChunk = stored.nextChunk();
    stream.endMicros = stored.endMicros();
    stream.seenMillis = stored.seenMillis();
    stream.staleChunk = stored.staleChunk();
    stream.lastFrame = stored.lastFrame();
    return stream;
  }

  /**
   * What must be stored of it, as it is now: the heap state back end keeps the value itself, and
   * writes it from another thread while the stream goes on.
   */
  StoredStream stored() {
    return new StoredStream(
        assembler.state(),
        nextLogged,
        nextChunk,
        endMicros,
        dropVision,
        EnumSet.copyOf(marks),
        model,
        numerics,
        orders,
        seenMillis,
        staleChunk,
        lastFrame,
        nextPicture,
        skipped == null ? List.of() : List.of(skipped),
        merge == null ? List.of() : List.of(merge),
        aloneThrough,
        computed);
  }

  /** The frames that wait in open chunks or for a place in one. */
  List<SourcedFrame> assembled() {
    AssemblerState<SourcedFrame> state = assembler.state();
    List<SourcedFrame> frames = new ArrayList<>();
    state.placed().forEach(placed -> frames.add(placed.frame().payload()));
    state.waiting().forEach(frame -> frames.add(frame.payload()));
    state.held().forEach(frame -> frames.add(frame.payload()));
    return frames;
  }

  /** All frames that are not answered yet. */
  Set<SourcedFrame> live() {
    Set<SourcedFrame> live = StoredPictures.identities();
    live.addAll(assembled());
    queue.forEach(queued -> live.addAll(queued.turn().frames()));
    return live;
  }

  /** It remembers nothing and begins with the next chunk, as a new stream does. */
  void forget() {
    session = null;
    nextLogged = 0;
    nextReplayed = 0;
    saidBefore = 0;
    replaysOneByOne = false;
    logBytes = 0;
    memoryBytes = 0;
    memoryFailures = 0;
    dropVision = false;
    computed = ComputedRows.NONE;
    orders = orders.withSkippedMicros(0);
  }

  /** A turn joins the queue: what the orders will be when it has left. */
  void ordered(Turn turn) {
    if (turn instanceof CommandTurn command) {
      if (!ordered.seen().contains(command.command().id())) {
        ordered = verdict(ordered, command).orders();
      }
    } else {
      ordered = ordered.named(); // its event, or that of a run of skipped chunks, goes out first
    }
  }

  /** What the stream makes of a command when these are its orders. */
  Verdict verdict(StreamOrders before, CommandTurn turn) {
    return Verdict.of(before, turn.command(), turn.isNew(), assembler.chunkMicros());
  }

  /** A chunk is closed. */
  void closed(long chunk, long endsMicros) {
    nextChunk = chunk + 1;
    endMicros = endsMicros;
  }

  /** A chunk is not understood, for whatever reason. */
  void skip(SkippedTurn turn, long maxGapMicros) {
    closed(turn.run().lastChunk(), turn.run().endMicros());
    skipped(turn.run().endMicros() - turn.run().startMicros(), maxGapMicros);
    dropVision |= turn.dropVision();
  }

  /** Chunks had no frames; assembly cannot add them to those that were skipped. */
  void pass(Gap<SourcedFrame> gap, long maxGapMicros) {
    closed(gap.last(), gap.endMicros());
    if (orders.stopped() || orders.skippedMicros() > 0) {
      skipped(gap.endMicros() - gap.startMicros(), maxGapMicros);
    }
  }

  /** Video was not understood: from a length on, what was seen before it is no context. */
  private void skipped(long micros, long maxGapMicros) {
    orders = orders.withSkippedMicros(orders.skippedMicros() + micros);
    dropVision |= orders.skippedMicros() > maxGapMicros;
  }

  /** What the engine gets of the chunks of a round: it answers the last, silent on the others. */
  RoundInput input(List<ChunkTurn> round) {
    List<RoundInput> inputs = new ArrayList<>();
    for (ChunkTurn turn : round) {
      Chunk<SourcedFrame> chunk = turn.chunk();
      List<EncodedFrame> pictures =
          chunk.frames().stream().map(frame -> frame.payload().picture()).toList();
      boolean drop = chunk.dropVision() || (inputs.isEmpty() && dropVision);
      inputs.add(new RoundInput(chunk.index(), pictures, drop));
    }
    RoundInput last = inputs.remove(inputs.size() - 1);
    return last.after(inputs.stream().map(input -> input.answered("")).toList());
  }

  /** Whether commands leave it to skip chunks under overload, those that wait included. */
  boolean isLive(OverloadMode mode) {
    return orders.overload().orElse(mode) == OverloadMode.LIVE
        && ordered.overload().orElse(mode) == OverloadMode.LIVE;
  }

  /**
   * The chunks on which nothing is decided yet, oldest first, up to the first command: what comes
   * behind it may be in another mode.
   */
  List<Queued> undecided() {
    List<Queued> found = new ArrayList<>();
    for (Queued queued : queue) {
      if (queued.turn() instanceof CommandTurn) {
        break;
      }
      if (queued.turn() instanceof ChunkTurn turn && turn.chunk().index() != accepted) {
        found.add(queued);
      }
    }
    return found;
  }

  /** Whether no newer chunk has come than this one of the queue. */
  boolean isNewest(long chunk) {
    for (Iterator<Queued> newest = queue.descendingIterator(); newest.hasNext(); ) {
      if (newest.next().turn() instanceof ChunkTurn turn) {
        return turn.chunk().index() == chunk;
      }
    }
    return true;
  }

  /** Whether chunks that its next round is to take up are still to come. */
  boolean awaitsChunks() {
    MergedChunks decided = merge;
    return decided != null && queue.size() <= decided.last() - decided.first();
  }

  List<Turn> turns() {
    return queue.stream().map(Queued::turn).toList();
  }

  /** Nothing of it waits or is under way. */
  boolean quiet() {
    return queue.isEmpty() && !running && !(session != null && replaying());
  }

  boolean replaying() {
    return nextReplayed < nextLogged;
  }

  /** The next round to run again lies behind a memory that was rebuilt. */
  boolean replaysAsSaid() {
    return nextReplayed < saidBefore;
  }
}
