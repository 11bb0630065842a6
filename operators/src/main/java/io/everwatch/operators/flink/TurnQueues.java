// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.StreamState.Queued;
import io.everwatch.operators.flink.Turn.EndTurn;

/** Who enters and leaves the queues of the streams, and what waits for it. */
final class TurnQueues {
  private final StreamTable streams;
  private final WatermarkGate gate;
  private final Outlet outlet;
  private int inFlight;

  TurnQueues(StreamTable streams, WatermarkGate gate, Outlet outlet) {
    this.streams = streams;
    this.gate = gate;
    this.outlet = outlet;
  }

  /** Turns that wait or are under way. */
  int inFlight() {
    return inFlight;
  }

  void enter(StreamState stream, Turn turn) {
    stream.queue.add(new Queued(turn, gate.enter()));
    stream.ending |= turn instanceof EndTurn;
    inFlight++;
    streams.changed(stream);
  }

  /** The turn at the head of the queue has been answered by its chunk's event, or the last one. */
  void leave(StreamState stream, TextRecord text) {
    outlet.text(text, stream.queue.element().turn().timestamp());
    stream.marks.clear();
    stream.orders = stream.orders.named();
    leave(stream);
  }

  /** The turn at the head of the queue is through. */
  void leave(StreamState stream) {
    Queued head = stream.queue.remove();
    streams.changed(stream);
    gate.leave(head.pass());
    inFlight--;
  }
}
