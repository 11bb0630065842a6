// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.UnreachableBrokerException;
import io.everwatch.job.camera.Redaction;
import io.everwatch.job.config.ConfigException;
import io.everwatch.job.export.ExportException;
import io.everwatch.job.offline.QuestionException;
import io.everwatch.job.replay.ReplayException;
import io.everwatch.job.spread.BadSpreadException;
import io.everwatch.job.topology.StartException;
import io.everwatch.job.wall.http.WallException;
import io.everwatch.operators.model.BadModelException;
import io.everwatch.schemas.TextReadException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns exceptions into lines on stderr and an exit code. */
final class Problems {
  private static final List<Class<? extends Exception>> FOR_PEOPLE =
      List.of(
          CliException.class,
          ConfigException.class,
          StartException.class,
          UnreachableBrokerException.class,
          TextReadException.class,
          WallException.class,
          BadModelException.class,
          BadSpreadException.class,
          QuestionException.class,
          ReplayException.class,
          ExportException.class);

  private Problems() {}

  /** A command that failed: one line, with the stack trace only when asked for. */
  static int report(Exception failure, CommandLine command, boolean debug) {
    PrintWriter err = command.getErr();
    err.println("everwatch: " + printable(describe(failure)));
    if (debug) {
      StringWriter trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace));
      err.print(Redaction.addresses(trace.toString()));
    } else if (!forPeople(failure) && !(failure instanceof IOException)) {
      err.println("(--debug shows where it happened)");
    }
    err.flush();
    return ExitCodes.FAILURE;
  }

  /** A command line that could not be understood. */
  static int reportUsage(ParameterException failure) {
    CommandLine command = failure.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("everwatch: " + printable(String.valueOf(failure.getMessage())));
    UnmatchedArgumentException.printSuggestions(failure, err);
    err.println(
        "Try '%s --help' for what it takes."
            .formatted(command.getCommandSpec().qualifiedName(" ")));
    err.flush();
    return ExitCodes.USAGE;
  }

  /** The messages of the chain, outermost first, each fact once. */
  static String describe(Throwable failure) {
    if (forPeople(failure)) {
      return String.valueOf(failure.getMessage());
    }
    if (failure instanceof FileSystemException file) {
      return describe(file);
    }
    List<String> parts = new ArrayList<>();
    for (Throwable at = failure; at != null && parts.size() < 5; at = at.getCause()) {
      if (at.getCause() != null && at.getCause().toString().equals(at.getMessage())) {
        continue; // a wrapper without a message of its own
      }
      String message = at.getMessage();
      String part = message == null ? at.getClass().getSimpleName() : message;
      if (parts.stream().noneMatch(known -> known.contains(part))) {
        parts.add(part);
      }
    }
    return String.join(": ", parts);
  }

  /** Java's own message is the path and nothing else. */
  private static String describe(FileSystemException failure) {
    String file = failure.getFile();
    if (failure instanceof NoSuchFileException) {
      return "there is no %s; expected that it, or the folder it lies in, exists; check the path"
          .formatted(file);
    }
    if (failure instanceof AccessDeniedException) {
      return "%s may not be used by this user; check the permissions of it and of its folder"
          .formatted(file);
    }
    String reason =
        failure.getReason() == null ? failure.getClass().getSimpleName() : failure.getReason();
    return "%s cannot be used (%s); check the path and the disk".formatted(file, reason);
  }

  /**
   * Values in a message come from files of others; they must not steer the terminal. An address may
   * hold a password, also in an option that was misspelt.
   */
  private static String printable(String message) {
    return Redaction.addresses(message).replaceAll("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]", " ");
  }

  /** Whether the message was written for the person at the terminal and says all of it. */
  private static boolean forPeople(Throwable failure) {
    return FOR_PEOPLE.stream().anyMatch(type -> type.isInstance(failure));
  }
}
