// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The published benchmarks of live commentary. */
@Command(
    name = "benchmark",
    description =
        "Inf-Streams-Eval and LiveSports-3K-CC, in their own file formats: comment their videos, and"
            + " have a judge compare two commentaries.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    subcommands = {BenchmarkGenerateCommand.class, BenchmarkJudgeCommand.class})
final class BenchmarkCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Which part? 'everwatch benchmark generate', then 'judge'.");
  }
}
