// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The command line {@code everwatch}: one class of this package per sub-command, registered below
 * in the order of the help text.
 *
 * <p>A sub-command implements {@code Callable<Integer>} and returns an exit code of {@link
 * ExitCodes}; it writes results to {@code spec.commandLine().getOut()}, progress and problems to
 * {@code getErr()}, never to {@code System.out}. What the person can mend is thrown as {@link
 * CliException}, a wrong combination of options as picocli's {@link ParameterException}. Options
 * shared by commands are mix-ins: {@link BrokerOptions}, {@link TopicOptions}, {@link
 * ModelOptions}. Everything costly (Flink, Kafka, the model) is touched in {@code call}, not when
 * the class is loaded: {@code --help} loads every command.
 */
@Command(
    name = "everwatch",
    description = "Text, second by second, for video streams: a Flink job that never forgets.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    subcommands = {
      DemoCommand.class,
      RunCommand.class,
      CameraCommand.class,
      WatchCommand.class,
      ServeCommand.class,
      ExportCommand.class,
      AuditCommand.class,
      ReplayCommand.class,
      CommandCommand.class,
      CaptionCommand.class,
      EvaluateCommand.class,
      BenchmarkCommand.class,
      BenchCommand.class,
      TuneCommand.class,
      VerifyModelCommand.class,
      TopicsCommand.class,
      SpreadCommand.class,
      BrokerCommand.class,
      DoctorCommand.class,
      CommandLine.HelpCommand.class,
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed, with one line that says why",
      "2:wrong usage",
      "70:the device was lost",
      "71:a step of the device hung"
    })
public final class Everwatch implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show stack traces, and log from INFO on.")
  private boolean debug;

  @Option(
      names = "--log-json",
      scope = ScopeType.INHERIT,
      description = "Log one JSON object a line, with stream and chunk.")
  private boolean logJson;

  public static void main(String[] args) {
    // In some countries a number is written with other digits, which no program could read.
    Locale.setDefault(Locale.ROOT);
    CommandLine line =
        commandLine()
            .setOut(utf8(new FileOutputStream(FileDescriptor.out)))
            .setErr(utf8(new FileOutputStream(FileDescriptor.err)));
    int status;
    try {
      status = line.execute(args);
    } catch (OutOfMemoryError e) {
      line.getErr()
          .println(
              "everwatch: out of memory (%s) with a heap of %d MiB; give more with EVERWATCH_JAVA_OPTS=-Xmx…, or do less at once"
                  .formatted(e.getMessage(), Runtime.getRuntime().maxMemory() >> 20));
      status = ExitCodes.FAILURE;
    }
    System.exit(status);
  }

  /** The whole command line, ready to {@code execute}; tests give it their own writers. */
  public static CommandLine commandLine() {
    Everwatch root = new Everwatch();
    return new CommandLine(root)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionStrategy(
            parsed -> {
              if (root.debug) {
                Logs.verbose();
              }
              if (root.logJson) {
                Logs.json();
              }
              return new CommandLine.RunLast().execute(parsed);
            })
        .setExecutionExceptionHandler(
            (failure, command, parsed) -> Problems.report(failure, command, root.debug))
        .setParameterExceptionHandler((failure, args) -> Problems.reportUsage(failure));
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Which command? 'everwatch demo' is the place to start.");
  }

  /**
   * The terminal's encoding follows the locale, which is ASCII in many containers; ours does not.
   */
  private static PrintWriter utf8(OutputStream stream) {
    return new PrintWriter(stream, true, StandardCharsets.UTF_8);
  }
}
