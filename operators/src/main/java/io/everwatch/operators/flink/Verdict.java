// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.BadModelException;
import io.everwatch.operators.model.SamplingChanges;
import java.util.Map;

/**
 * What a stream makes of a command. Pure: the same orders and the same command give the same
 * verdict, whenever and wherever.
 *
 * @param orders of the stream from now on
 * @param obeyed false: nothing was done
 * @param forget the memory begins again, empty
 * @param text the answer
 */
record Verdict(StreamOrders orders, boolean obeyed, boolean forget, String text) {
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
   */
  static Verdict of(StreamOrders before, Command command, boolean isNew) {
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
            case START -> start(orders, command, isNew);
            case STOP -> stop(orders, command);
            case PROMPT -> prompt(orders, command);
            case RESET -> reset(orders, command);
            case SET -> set(orders, command);
          };
      return new Verdict(
          verdict.orders.withApplied(command.id()), true, verdict.forget, verdict.text);
    } catch (Refusal refusal) {
      return new Verdict(orders, false, false, REFUSED + refusal.getMessage());
    }
  }

  private static Verdict start(StreamOrders orders, Command command, boolean isNew) throws Refusal {
    noText(command);
    if (!isNew && !orders.stopped()) {
      throw new Refusal("the stream runs; expected one that is stopped; change it with SET");
    }
    Map<String, String> changes = settings(command);
    return new Verdict(
        orders.withStoppedBy("").withSampling(changes),
        true,
        false,
        (isNew ? "started" : "started again") + list(changes));
  }

  private static Verdict stop(StreamOrders orders, Command command) throws Refusal {
    noText(command);
    noSettings(command);
    if (orders.stopped()) {
      throw new Refusal(
          "the stream is stopped, by command %s; expected one that runs"
              .formatted(orders.stoppedBy()));
    }
    return new Verdict(
        orders.withStoppedBy(command.id()),
        true,
        false,
        "stopped; its chunks are skipped until START");
  }

  private static Verdict prompt(StreamOrders orders, Command command) throws Refusal {
    noSettings(command);
    int length = command.text().length();
    if (command.text().isBlank() || length > SamplingChanges.MAX_INSTRUCTION) {
      throw new Refusal(
          "an instruction of %d characters; expected 1 to %d, not all of them blank"
              .formatted(length, SamplingChanges.MAX_INSTRUCTION));
    }
    return new Verdict(
        orders.withInstruction(command.text()),
        true,
        true,
        "new instruction; the memory begins again with it");
  }

  private static Verdict reset(StreamOrders orders, Command command) throws Refusal {
    noText(command);
    noSettings(command);
    return new Verdict(
        orders, true, true, "the memory begins again; instruction and settings stay");
  }

  private static Verdict set(StreamOrders orders, Command command) throws Refusal {
    noText(command);
    Map<String, String> changes = settings(command);
    if (changes.isEmpty()) {
      throw new Refusal(
          "no setting was given; expected KEY=VALUE of one of " + SamplingChanges.keys());
    }
    return new Verdict(orders.withSampling(changes), true, false, "set" + list(changes));
  }

  private static Map<String, String> settings(Command command) throws Refusal {
    try {
      return SamplingChanges.check(command.settings());
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

  private static String list(Map<String, String> changes) {
    StringBuilder text = new StringBuilder();
    changes.forEach(
        (key, value) ->
            text.append(text.isEmpty() ? ": " : ", ").append(key).append('=').append(value));
    return text.toString();
  }
}
