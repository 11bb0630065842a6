// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Assembled.DeadFrame;
import io.everwatch.operators.chunk.Assembled.Reason;
import io.everwatch.operators.chunk.AssemblerState.Rate;
import io.everwatch.operators.chunk.AssemblerState.Sequences;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * The state machine of architecture §3a for one stream: records in partition order in, chunks, gaps
 * and dead frames out, as a function of the records and the settings alone.
 *
 * <p>A frame passes three stages. <em>Judged</em>: a copy is counted; a capture time that cannot
 * follow the stream's clock, or a sequence that goes back while the clock goes on, is held until
 * the next frame agrees (a new clock, a restarted camera) or not (dead letter; copies do not vote).
 * What can follow a clock is said at {@link StreamClock}: a camera that was away for an hour has an
 * hour without frames, and frames that were late in a burst are as if they had not been.
 * <em>Ordered</em>: it waits while a smaller sequence is missing, so that what comes out does not
 * depend on disorder within the allowed lateness. <em>Placed</em>: it takes its grid point, or is
 * surplus when an earlier frame has it.
 *
 * <p>A chunk closes when all its points have frames, or when the clock passes its end by {@code
 * allowedLateness}; missing sequences before the frames that were waiting for it are then given up.
 * A frame given up that comes for a chunk still open takes its point all the same.
 *
 * <p>Memory is bounded whatever arrives: see {@link AssemblerState}. A stream that makes more than
 * {@link #MAX_WAITING} frames, or {@link #MAX_WAITING_BYTES}, wait has its missing sequences given
 * up early; that loses no frame. No call loops over chunks without frames. Not thread-safe.
 */
public final class ChunkAssembler<P> {
  /** Frames that wait for a missing sequence: four seconds of a 60-fps camera. */
  public static final int MAX_WAITING = 256;

  /** Bytes of frames that wait for a missing sequence. */
  public static final long MAX_WAITING_BYTES = 32 << 20;

  /** Runs of given-up sequences that are told from seen ones; older ones count as not seen. */
  public static final int MAX_ABANDONED = 256;

  /** End of the year 9999: no capture time lies behind it, and no sum with it overflows. */
  private static final long MAX_MICROS = 253_402_300_799_999_999L;

  private enum Verdict {
    /** Belongs to the stream as it goes. */
    NORMAL,
    /** Seen before. */
    COPY,
    /** Cannot follow the clock. */
    JUMP,
    /** The sequence goes back, the clock on. */
    RESTART
  }

  private final ChunkSettings settings;
  private final Rates rates;
  private final ToLongFunction<P> bytes;
  private final SequenceOrder<P> order;
  private final OpenChunks<P> chunks;
  private final StreamClock clock;
  private Optional<Frame<P>> held;
  private boolean started;
  private long settledMicros;

  private ChunkAssembler(ChunkSettings settings, AssemblerState<P> state, ToLongFunction<P> bytes) {
    Sequences sequences = state.sequences();
    this.settings = settings.withChunkMicros(state.chunkMicros());
    this.rates = new Rates(state.rates());
    this.bytes = bytes;
    this.order =
        new SequenceOrder<>(
            sequences.settled(), sequences.horizon(), sequences.abandoned(), state.waiting());
    this.chunks = new OpenChunks<>(this.settings, rates, state.progress(), state.placed());
    this.held = state.held().stream().findFirst();
    this.started = state.started();
    this.clock =
        new StreamClock(
            settings.maxClockJumpMicros(),
            state.progress().clockMicros(),
            state.progress().clockArrivalMicros());
    this.settledMicros = sequences.settledMicros();
  }

  /** A stream of which nothing was seen yet, with payloads of no size to speak of. */
  public static <P> ChunkAssembler<P> start(ChunkSettings settings) {
    return start(settings, payload -> 0);
  }

  /** As {@link #restore(ChunkSettings, AssemblerState, ToLongFunction)}, likewise. */
  public static <P> ChunkAssembler<P> restore(ChunkSettings settings, AssemblerState<P> state) {
    return restore(settings, state, payload -> 0);
  }

  /**
   * A stream of which nothing was seen yet.
   *
   * @param bytes size of a frame's payload
   */
  public static <P> ChunkAssembler<P> start(ChunkSettings settings, ToLongFunction<P> bytes) {
    return new ChunkAssembler<>(
        settings,
        AssemblerState.fresh(
            settings.chunkMicros(), List.of(new Rate(0, settings.framesPerChunk()))),
        bytes);
  }

  /**
   * Goes on where {@link #state} was taken, on the stream's own grid: of the settings only the
   * limits of lateness, gap and jump count.
   */
  public static <P> ChunkAssembler<P> restore(
      ChunkSettings settings, AssemblerState<P> state, ToLongFunction<P> bytes) {
    return new ChunkAssembler<>(settings, state, bytes);
  }

  /** Length of the stream's chunks. */
  public long chunkMicros() {
    return settings.chunkMicros();
  }

  /** Grid points of the chunks that begin from now on. */
  public int framesPerChunk() {
    return rates.of(Long.MAX_VALUE);
  }

  /** Another frame rate, from the first chunk on that has no frame yet. */
  public void changeRate(int framesPerChunk) {
    chunks.changeRate(framesPerChunk);
  }

  /** Takes the next record of the stream, in partition order, and returns what it closes. */
  public List<Assembled<P>> offer(Frame<P> frame) {
    List<Assembled<P>> out = new ArrayList<>();
    if (frame.sequence() < 0 || frame.captureMicros() < 0 || frame.captureMicros() > MAX_MICROS) {
      out.add(new DeadFrame<>(frame, Reason.OUT_OF_RANGE, outOfRange(frame)));
      return out;
    }
    if (!started) {
      started = true;
      clock.set(frame);
      settledMicros = frame.captureMicros();
      chunks.begin(frame.captureMicros());
      order.restart(frame.sequence());
      admit(frame, out);
      return out;
    }
    if (held.isPresent() && isCopy(frame, held.get())) {
      chunks.countDuplicate();
      return out;
    }
    Verdict verdict = judge(frame);
    if (held.isPresent() && verdict != Verdict.COPY) {
      Frame<P> suspect = held.get();
      held = Optional.empty();
      if (verdict != Verdict.NORMAL && agrees(frame, suspect)) {
        accept(suspect, out);
        verdict = judge(frame);
      } else {
        reject(suspect, verdict == Verdict.NORMAL, out);
      }
    }
    switch (verdict) {
      case NORMAL -> admit(frame, out);
      case COPY -> chunks.countDuplicate();
      case JUMP, RESTART -> held = Optional.of(frame);
    }
    return out;
  }

  /** Closes what is open: end of stream. */
  public List<Assembled<P>> finish() {
    List<Assembled<P>> out = new ArrayList<>();
    if (started) {
      held.ifPresent(suspect -> reject(suspect, false, out));
      held = Optional.empty();
      settleAll(out);
      chunks.closeAll(out);
    }
    return out;
  }

  /**
   * Capture time of the stream's first frame, which names its life; 0 before it came. Nothing but
   * the stream's end changes it.
   */
  public long beganMicros() {
    return chunks.beganMicros();
  }

  /** First chunk that is not closed. */
  public long nextChunk() {
    return chunks.next();
  }

  /** Largest capture time so far; 0 before the first frame. */
  public long clockMicros() {
    return clock.micros();
  }

  /** Frames offered that no chunk, gap or dead frame has told of yet. */
  public int pending() {
    return order.waiting().size()
        + chunks.frames()
        + (held.isPresent() ? 1 : 0)
        + unreported().received();
  }

  /** Surplus and duplicates since the last chunk; after {@link #finish} those of its tail. */
  public Counts unreported() {
    return chunks.unreported();
  }

  /** All that the next {@link #offer} depends on, as plain values. */
  public AssemblerState<P> state() {
    return started
        ? new AssemblerState<>(
            settings.chunkMicros(),
            rates.list(),
            true,
            chunks.progress(clock.micros(), clock.arrivalMicros()),
            new Sequences(order.settled(), settledMicros, order.horizon(), order.abandoned()),
            chunks.placed(),
            order.waiting(),
            held.stream().toList())
        : AssemblerState.fresh(settings.chunkMicros(), rates.list());
  }

  private Verdict judge(Frame<P> frame) {
    long sequence = frame.sequence();
    long ahead = clock.ahead(frame);
    boolean seen = order.seen(sequence);
    if (!clock.isFollowedBy(frame)) {
      boolean straggler =
          ahead < 0 && !seen && sequence < order.newest() && sequence >= order.horizon();
      return straggler ? Verdict.NORMAL : Verdict.JUMP;
    }
    if (sequence <= order.settled() && ahead > 0) {
      return Verdict.RESTART; // a copy or a straggler is never newer than the newest frame
    }
    return seen ? Verdict.COPY : Verdict.NORMAL;
  }

  private static <P> boolean isCopy(Frame<P> frame, Frame<P> other) {
    return frame.sequence() == other.sequence() && frame.captureMicros() == other.captureMicros();
  }

  private boolean agrees(Frame<P> frame, Frame<P> suspect) {
    return frame.sequence() > suspect.sequence() && clock.follows(frame, suspect);
  }

  /** The suspect was right: a new clock, or a camera that counts anew. */
  private void accept(Frame<P> suspect, List<Assembled<P>> out) {
    boolean jumped = judge(suspect) == Verdict.JUMP;
    boolean goesBack = suspect.sequence() <= order.newest();
    settleAll(out);
    if (jumped) {
      chunks.closeAll(out);
      chunks.resetClock(clock.since(suspect), suspect.captureMicros());
      clock.set(suspect);
    }
    if (goesBack) {
      order.restart(suspect.sequence());
    } else {
      order.abandonBefore(suspect.sequence());
    }
    admit(suspect, out);
  }

  /** The suspect was wrong: dead letter, unless it can be a copy of a frame of long ago. */
  private void reject(Frame<P> suspect, boolean streamGoesOn, List<Assembled<P>> out) {
    if (order.seen(suspect.sequence()) && clock.ahead(suspect) <= 0) {
      chunks.countDuplicate();
      return;
    }
    boolean jumped = judge(suspect) == Verdict.JUMP;
    out.add(
        new DeadFrame<>(
            suspect,
            jumped ? Reason.CLOCK_JUMP : Reason.SEQUENCE_BACKWARDS,
            jumped ? clock.lonelyJump(suspect) : lonelyStepBack(suspect)));
    if (streamGoesOn) {
      order.skipIfNext(suspect.sequence());
    }
  }

  private void admit(Frame<P> frame, List<Assembled<P>> out) {
    if (frame.sequence() <= order.settled()) {
      order.recover(frame.sequence());
      chunks.placeStraggler(frame, out);
    } else {
      order.add(frame);
    }
    clock.advance(frame);
    settleReady(out);
    while (order.waiting().size() > MAX_WAITING || waitingBytes() > MAX_WAITING_BYTES) {
      settleThrough(order.waiting().get(0).sequence(), out);
    }
    long due = chunks.due(clock.micros());
    if (due >= chunks.next()) {
      settleDue(chunks.endMicros(due), out);
      chunks.closeThrough(due, out);
    }
    chunks.closeComplete(out);
  }

  private long waitingBytes() {
    long sum = 0;
    for (Frame<P> frame : order.waiting()) {
      sum += bytes.applyAsLong(frame.payload());
    }
    return sum;
  }

  /** Places the waiting frames of chunks whose time is over, whatever is still missing. */
  private void settleDue(long endMicros, List<Assembled<P>> out) {
    List<Frame<P>> waiting = order.waiting();
    for (int i = waiting.size() - 1; i >= 0; i--) {
      if (waiting.get(i).captureMicros() < endMicros) {
        settleThrough(waiting.get(i).sequence(), out);
        return;
      }
    }
  }

  private void settleAll(List<Assembled<P>> out) {
    settleThrough(order.newest(), out);
  }

  private void settleThrough(long sequence, List<Assembled<P>> out) {
    while (!order.waiting().isEmpty() && order.waiting().get(0).sequence() <= sequence) {
      order.abandonBefore(order.waiting().get(0).sequence());
      settleReady(out);
    }
  }

  private void settleReady(List<Assembled<P>> out) {
    while (order.ready()) {
      Frame<P> frame = order.take();
      long distance = frame.captureMicros() - settledMicros;
      settledMicros = frame.captureMicros();
      chunks.place(frame, distance, out);
    }
  }

  private static <P> String outOfRange(Frame<P> frame) {
    return ("sequence %d with capture time %d us; expected a sequence of at least 0 and a time "
            + "from 1970 to 9999; correct the camera's clock or its bridge")
        .formatted(frame.sequence(), frame.captureMicros());
  }

  private String lonelyStepBack(Frame<P> frame) {
    return ("sequence %d with capture time %d us came after sequence %d at %d us; expected "
            + "increasing sequences, or a next frame that shows a restarted camera; is there a "
            + "second writer of this stream?")
        .formatted(frame.sequence(), frame.captureMicros(), order.newest(), clock.micros());
  }
}
