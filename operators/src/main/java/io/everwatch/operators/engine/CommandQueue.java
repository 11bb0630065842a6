// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** What other threads want the step thread to do between two steps, in order. */
final class CommandQueue {
  /** Runs on the step thread, or is dropped. */
  interface Command {
    void run();

    /** It will never run: the engine is closed or its device lost. */
    default void drop(RuntimeException why) {}
  }

  private final Deque<Command> commands = new ArrayDeque<>();
  private @Nullable RuntimeException closed;

  /** From any thread. */
  void add(Command command) {
    RuntimeException why;
    synchronized (this) {
      why = closed;
      if (why == null) {
        commands.add(command);
        notifyAll();
      }
    }
    if (why != null) {
      command.drop(why);
    }
  }

  /** Waits until there is a command. */
  synchronized void await() throws InterruptedException {
    while (commands.isEmpty()) {
      wait();
    }
  }

  /** Runs all commands that have come. */
  void runAll() {
    for (Command command = next(); command != null; command = next()) {
      command.run();
    }
  }

  private synchronized @Nullable Command next() {
    return commands.poll();
  }

  /** Drops what is left, and from now on every new command. */
  void close(RuntimeException why) {
    Deque<Command> left;
    synchronized (this) {
      closed = why;
      left = new ArrayDeque<>(commands);
      commands.clear();
    }
    left.forEach(command -> command.drop(why));
  }
}
