// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.Turn.CommandTurn;
import java.util.List;
import java.util.Optional;

/** What is done with the commands to streams; {@link Verdict} decides, this obeys and answers. */
final class Commands {
  private final StreamTable streams;
  private final TurnQueues queues;
  private final TurnMaker turns;
  private final EventBuilder events;
  private final Outlet outlet;

  Commands(
      StreamTable streams, TurnQueues queues, TurnMaker turns, EventBuilder events, Outlet outlet) {
    this.streams = streams;
    this.queues = queues;
    this.turns = turns;
    this.events = events;
    this.outlet = outlet;
  }

  /** A command has come: its turn, unless it is for a stream that does not come about by it. */
  List<Turn> take(
      Optional<StreamState> found, FrameRecord record, Command command, long timestamp) {
    CommandTurn turn = turns.command(found, record, command, timestamp);
    if (found.isEmpty()) {
      Verdict verdict = Verdict.of(StreamOrders.NONE, command, /* isNew= */ true);
      if (!verdict.obeyed()) { // no stream comes about; nothing is remembered
        StreamState nothing = streams.nothing(record.key());
        outlet.text(events.notice(nothing, turn, verdict.text()), timestamp);
        return List.of();
      }
    }
    streams.changed(found.isPresent() ? found.get() : streams.start(record.key()));
    return List.of(turn);
  }

  /** The command is at the head of its queue, behind the chunks that were closed before it came. */
  void obey(StreamState stream, CommandTurn turn) {
    Command command = turn.command();
    if (stream.orders.seen().contains(command.id())) {
      queues.leave(stream); // sent twice; it was answered the first time
      return;
    }
    Verdict verdict = Verdict.of(stream.orders, command, turn.isNew());
    stream.orders = verdict.orders();
    if (verdict.forget()) {
      streams.forget(stream);
    }
    outlet.text(events.notice(stream, turn, verdict.text()), turn.timestamp());
    queues.leave(stream);
  }
}
