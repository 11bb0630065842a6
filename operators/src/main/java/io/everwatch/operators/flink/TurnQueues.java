// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.StreamState.Queued;
import io.everwatch.operators.flink.Turn.EndTurn;
import io.everwatch.operators.flink.Turn.SkippedTurn;
import io.everwatch.operators.flink.UnderstandSettings.Limits;
import java.util.ArrayList;
import java.util.List;

/**
 * Who enters and leaves the queues of the streams, and how much may wait there.
 *
 * <p>The turns in the heap are bounded by number and by bytes; beyond that the operator waits. A
 * stream that has its share of them, because it comes with a backlog, does not hold up the others:
 * what comes of it then is parked, its pictures in state only, until it is the stream's next.
 * Parked turns are bounded too. A live stream parks nothing: {@link Skips} makes room in its queue.
 */
final class TurnQueues {
  /** What a turn and each of its frames take beside the picture, about. */
  private static final int OVERHEAD_BYTES = 512;

  private final StreamTable streams;
  private final StreamStore store;
  private final WatermarkGate gate;
  private final Outlet outlet;
  private final OverloadMode mode;
  private final Limits limits;
  private int inFlight;
  private int inHeap;
  private long heapBytes;
  private long parkedBytes;
  private int skipped;

  TurnQueues(
      StreamTable streams,
      StreamStore store,
      WatermarkGate gate,
      Outlet outlet,
      OverloadMode mode,
      Limits limits) {
    this.streams = streams;
    this.store = store;
    this.gate = gate;
    this.outlet = outlet;
    this.mode = mode;
    this.limits = limits;
  }

  /** Turns that wait or are under way. */
  int inFlight() {
    return inFlight;
  }

  /** Bytes of the turns that are in the heap. */
  long heapBytes() {
    return heapBytes;
  }

  /** Turns of which only the reference is in the heap. */
  int parked() {
    return inFlight - inHeap - skipped;
  }

  /** Whether the turn may enter now; otherwise others must leave first. */
  boolean room(StreamState stream, Turn turn) {
    if (turn instanceof SkippedTurn) {
      return roomForSkipped();
    }
    if (stream.awaitsChunks()) {
      return true; // it leaves no room before they are there
    }
    return parks(stream)
        ? parked() < limits.parked() && parkedBytes + bytes(turn) <= limits.parkedBytes()
        : inHeap < limits.inFlight() && heapRoom(bytes(turn));
  }

  private boolean heapRoom(long bytes) {
    return inHeap == 0 || heapBytes + bytes <= limits.inFlightBytes();
  }

  /** Without room to park, a stream with its share waits for the heap like all others. */
  boolean parks(StreamState stream) {
    return limits.parked() > 0 && stream.inHeap >= limits.share() && !stream.isLive(mode);
  }

  /** Whether one more skipped chunk may wait to be told. */
  boolean roomForSkipped() {
    return skipped < limits.skipped();
  }

  /** The turn joins its stream's queue. */
  void enter(StreamState stream, Turn turn) throws Exception {
    boolean restored = turn.frames().stream().anyMatch(frame -> !frame.inHeap());
    boolean park = restored || (parks(stream) && !(turn instanceof SkippedTurn));
    if (park) {
      stream.stored.addAll(turn.frames().stream().filter(SourcedFrame::isStored).toList());
      store.park(stream, turn);
    }
    Queued queued = new Queued(turn, gate.enter(), bytes(turn), park);
    stream.queue.add(queued);
    stream.ordered(turn);
    if (turn instanceof EndTurn) {
      streams.ending(stream);
    }
    inFlight++;
    count(stream, queued, 1);
    streams.changed(stream);
  }

  /** Brings the pictures of the stream's next turns into the heap; false: there is no room now. */
  boolean load(StreamState stream, int turns, boolean othersRun) throws Exception {
    List<Queued> next = stream.queue.stream().limit(turns).toList();
    List<Queued> parked = next.stream().filter(Queued::parked).toList();
    if (parked.isEmpty()) {
      return true;
    }
    if (othersRun && !heapRoom(parked.stream().mapToLong(Queued::bytes).sum())) {
      return false;
    }
    for (Queued queued : parked) {
      store.load(stream.key, queued.turn().frames());
      replace(stream, queued, queued.loaded());
    }
    return true;
  }

  /** A chunk that waits leaves its room to others; that it was skipped is told in its turn. */
  void skip(StreamState stream, Queued waiting, SkippedTurn turn) {
    replace(stream, waiting, new Queued(turn, waiting.pass(), 0, false));
    streams.changed(stream);
  }

  /** In the same place of the queue. */
  private void replace(StreamState stream, Queued before, Queued after) {
    List<Queued> all = new ArrayList<>(stream.queue);
    all.set(all.indexOf(before), after);
    stream.queue.clear();
    stream.queue.addAll(all);
    count(stream, before, -1);
    count(stream, after, 1);
  }

  private void count(StreamState stream, Queued queued, int sign) {
    if (queued.turn() instanceof SkippedTurn) {
      skipped += sign;
    } else if (queued.parked()) {
      parkedBytes += sign * queued.bytes();
    } else {
      heapBytes += sign * queued.bytes();
      inHeap += sign;
      stream.inHeap += sign;
    }
  }

  private static long bytes(Turn turn) {
    long bytes = OVERHEAD_BYTES;
    for (SourcedFrame frame : turn.frames()) {
      bytes += frame.sizeBytes() + OVERHEAD_BYTES;
    }
    return bytes;
  }

  /** An event of the stream's chunks goes out, on account of the turn at the head of the queue. */
  void say(StreamState stream, TextRecord text) {
    outlet.text(text, stream.queue.element().turn().timestamp());
    stream.marks.clear();
    stream.orders = stream.orders.named();
  }

  /** The turn at the head of the queue has been answered by its chunk's event, or the last one. */
  void leave(StreamState stream, TextRecord text) {
    say(stream, text);
    leave(stream);
  }

  /** The turn at the head of the queue is through. */
  void leave(StreamState stream) {
    Queued head = stream.queue.remove();
    streams.changed(stream);
    gate.leave(head.pass());
    inFlight--;
    count(stream, head, -1);
  }
}
