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
  private final StreamLimit limit;
  private final Outlet outlet;

  Commands(
      StreamTable streams,
      TurnQueues queues,
      TurnMaker turns,
      EventBuilder events,
      StreamLimit limit,
      Outlet outlet) {
    this.streams = streams;
    this.queues = queues;
    this.turns = turns;
    this.events = events;
    this.limit = limit;
    this.outlet = outlet;
  }

  /**
   * A command has come: its turn, unless it is for a stream that does not come about by it.
   *
   * <p>The frame rate changes here, in the order of the records, and not when the turn is through:
   * how far the engine is must not decide which frames a chunk has. The verdict is the one that the
   * turn will get.
   */
  List<Turn> take(
      Optional<StreamState> found, FrameRecord record, Command command, long timestamp) {
    StreamState stream = found.isPresent() ? found.get() : streams.nothing(record.key());
    CommandTurn turn = turns.command(found, record, command, timestamp);
    if (!stream.ordered.seen().contains(command.id())) {
      Verdict verdict = stream.verdict(stream.ordered, turn);
      if (found.isEmpty() && (!verdict.obeyed() || limit.reached())) {
        // no stream comes about; nothing is remembered
        String answer = verdict.obeyed() ? Verdict.REFUSED + limit.message() : verdict.text();
        outlet.text(events.notice(stream, turn, answer), timestamp);
        return List.of();
      }
      verdict.framesPerChunk().ifPresent(stream.assembler::changeRate);
    }
    if (found.isEmpty()) {
      streams.add(stream);
    }
    streams.changed(stream);
    return List.of(turn);
  }

  /** The command is at the head of its queue, behind the chunks that were closed before it came. */
  void obey(StreamState stream, CommandTurn turn) throws Exception {
    if (stream.orders.seen().contains(turn.command().id())) {
      queues.leave(stream); // sent twice; it was answered the first time
      return;
    }
    Verdict verdict = stream.verdict(stream.orders, turn);
    stream.orders = verdict.orders();
    if (verdict.forget()) {
      streams.forget(stream);
    }
    outlet.text(events.notice(stream, turn, verdict.text()), turn.timestamp());
    queues.leave(stream);
  }
}
