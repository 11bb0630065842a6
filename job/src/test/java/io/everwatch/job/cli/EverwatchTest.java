// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class EverwatchTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(CommandLine line, String... args) {
    return line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(args);
  }

  @Test
  void helpNamesEveryCommandOnStdout() {
    CommandLine line = Everwatch.commandLine();

    assertThat(run(line, "--help")).isEqualTo(ExitCodes.OK);
    assertThat(out.toString()).contains(line.getSubcommands().keySet());
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void everyCommandSaysWhatItIsFor() {
    Everwatch.commandLine()
        .getSubcommands()
        .forEach(
            (name, command) ->
                // the list of commands shows the first line only
                assertThat(command.getCommandSpec().usageMessage().description()[0])
                    .as(name)
                    .endsWith("."));
  }

  @Test
  void versionIsThatOfTheBuild() {
    assertThat(run(Everwatch.commandLine(), "--version")).isEqualTo(ExitCodes.OK);
    assertThat(out.toString()).containsPattern("everwatch \\d+\\.\\d+\\.\\d+");
  }

  @Test
  void anUnknownOptionIsAUsageErrorThatSuggestsTheNearest() {
    assertThat(run(Everwatch.commandLine(), "--versoin")).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("--versoin").contains("--version").contains("--help");
  }

  @Test
  void noCommandIsAUsageError() {
    assertThat(run(Everwatch.commandLine())).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("everwatch demo");
  }

  @Test
  void aFailureIsOneLineWithoutStackTrace() {
    CommandLine line = Everwatch.commandLine().addSubcommand(new Failing());

    assertThat(run(line, "fail")).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString().lines()).containsExactly("everwatch: the disk is full");
  }

  @Test
  void aMessageWithValuesOfOthersDoesNotSteerTheTerminal() {
    assertThat(run(Everwatch.commandLine(), "caption", "a\u001b[2J\u009bb")).isEqualTo(1);
    assertThat(err.toString()).contains("'a [2J b'").doesNotContain("\u001b", "\u009b");
  }

  @Test
  void debugAddsTheStackTrace() {
    CommandLine line = Everwatch.commandLine();
    line.addSubcommand(new Failing());

    assertThat(run(line, "--debug", "fail")).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("everwatch: the disk is full").contains("at io.everwatch");
  }

  @Test
  void theChainOfCausesIsToldOnce() {
    Exception cause = new IllegalStateException("port 9092 is taken");
    assertThat(Problems.describe(new RuntimeException("no broker", new RuntimeException(cause))))
        .isEqualTo("no broker: port 9092 is taken");
  }

  @Command(name = "fail", description = "Fails.")
  static final class Failing implements Callable<Integer> {
    @Override
    public Integer call() {
      throw new CliException("the disk is full");
    }
  }
}
