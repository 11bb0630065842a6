// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.BadModelException;
import io.everwatch.operators.model.SamplingChanges;
import java.util.Optional;

/**
 * What a stream makes of a command. Pure: the same orders and the same command give the same
 * verdict, whenever and wherever.
 *
 * @param orders of the stream from now on
 * @param framesPerChunk grid points of the chunks that begin from now on, if they change
 * @param obeyed false: nothing was done
 * @param forget the memory begins again, empty
 * @param text the answer
 */
record Verdict(
    StreamOrders orders,
    Optional<Integer> framesPerChunk,
    boolean obeyed,
    boolean forget,
    String text) {
  /** How the answer to a command begins that was not obeyed. */
  static final String REFUSED = "refused: ";

  /** The command cannot be obeyed; the message says why. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1;

    Refusal(String message) {
      super(message);
    }
  }

  /**
   * Decides on a command that the stream has not seen.
   *
   * @param isNew there is no such stream; it would begin with this command
   * @param chunkMicros length of the stream's chunks
   */
  static Verdict of(StreamOrders before, Command command, boolean isNew, long chunkMicros) {
    StreamOrders orders = before.withSeen(command.id());
    try {
      if (isNew && command.kind() != Command.Kind.START) {
        throw new Refusal(
            "there is no such stream: no frame of it has come since it began or ended; start its camera, or send START first");
      }
      if (before.applied().size() >= StreamOrders.REMEMBERED) {
        throw new Refusal(
            "%d commands took effect since the stream's last chunk; expected fewer; send it again when frames come"
                .formatted(before.applied().size()));
      }
      Verdict verdict =
          switch (command.kind()) {
            case START -> start(orders, command, isNew, chunkMicros);
            case STOP -> stop(orders, command);
            case PROMPT -> prompt(orders, command);
            case RESET -> reset(orders, command);
            case SET -> set(orders, command, chunkMicros);
          };
      return new Verdict(
          verdict.orders.withApplied(command.id()),
          verdict.framesPerChunk,
          true,
          verdict.forget,
          verdict.text);
    } catch (Refusal refusal) {
      return new Verdict(orders, Optional.empty(), false, false, REFUSED + refusal.getMessage());
    }
  }

  private static Verdict obeyed(StreamOrders orders, boolean forget, String text) {
    return new Verdict(orders, Optional.empty(), true, forget, text);
  }

  private static Verdict obeyed(StreamOrders orders, OrderedSettings changes, String text) {
    return new Verdict(
        orders.with(changes),
        changes.framesPerChunk(),
        true,
        false,
        changes.isEmpty() ? text : text + ": " + changes);
  }

  private static Verdict start(
      StreamOrders orders, Command command, boolean isNew, long chunkMicros) throws Refusal {
    noText(command);
    if (!isNew && !orders.stopped()) {
      throw new Refusal("the stream runs; expected one that is stopped; change it with SET");
    }
    return obeyed(
        orders.withStoppedBy(""),
        settings(command, chunkMicros),
        isNew ? "started" : "started again");
  }

  private static Verdict stop(StreamOrders orders, Command command) throws Refusal {
    noText(command);
    noSettings(command);
    if (orders.stopped()) {
      throw new Refusal(
          "the stream is stopped, by command %s; expected one that runs"
              .formatted(orders.stoppedBy()));
    }
    return obeyed(
        orders.withStoppedBy(command.id()), false, "stopped; its chunks are skipped until START");
  }

  private static Verdict prompt(StreamOrders orders, Command command) throws Refusal {
    noSettings(command);
    int length = command.text().length();
    if (command.text().isBlank() || length > SamplingChanges.MAX_INSTRUCTION) {
      throw new Refusal(
          "an instruction of %d characters; expected 1 to %d, not all of them blank"
              .formatted(length, SamplingChanges.MAX_INSTRUCTION));
    }
    return obeyed(
        orders.withInstruction(command.text()),
        true,
        "new instruction; the memory begins again with it");
  }

  private static Verdict reset(StreamOrders orders, Command command) throws Refusal {
    noText(command);
    noSettings(command);
    return obeyed(orders, true, "the memory begins again; instruction and settings stay");
  }

  private static Verdict set(StreamOrders orders, Command command, long chunkMicros)
      throws Refusal {
    noText(command);
    OrderedSettings changes = settings(command, chunkMicros);
    if (changes.isEmpty()) {
      throw new Refusal(
          "no setting was given; expected KEY=VALUE of one of " + OrderedSettings.keys());
    }
    return obeyed(orders, changes, "set");
  }

  private static OrderedSettings settings(Command command, long chunkMicros) throws Refusal {
    try {
      return OrderedSettings.check(command.settings(), chunkMicros);
    } catch (BadModelException e) {
      throw new Refusal(String.valueOf(e.getMessage()));
    }
  }

  private static void noText(Command command) throws Refusal {
    if (!command.text().isEmpty()) {
      throw new Refusal(
          "%s has a text of %d characters; only PROMPT takes one"
              .formatted(command.kind(), command.text().length()));
    }
  }

  private static void noSettings(Command command) throws Refusal {
    if (!command.settings().isEmpty()) {
      throw new Refusal(
          "%s has settings %s; only START and SET take them"
              .formatted(command.kind(), command.settings().keySet()));
    }
  }
}
