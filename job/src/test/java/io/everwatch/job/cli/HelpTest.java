// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Every text of a usage help is a format string for picocli, which only warns of a bad one. */
class HelpTest {
  static Stream<CommandLine> commands() {
    return withSubcommands(Everwatch.commandLine());
  }

  private static Stream<CommandLine> withSubcommands(CommandLine command) {
    return Stream.concat(
        Stream.of(command),
        command.getSubcommands().values().stream().flatMap(HelpTest::withSubcommands));
  }

  @ParameterizedTest
  @MethodSource("commands")
  void isPrintedAsItIsMeant(CommandLine command) {
    assertThat(command.getUsageMessage())
        .contains(command.getCommandName())
        .doesNotContain("%n", "%%", "${");
    for (String text : texts(command.getCommandSpec())) {
      assertThatNoException()
          .as("'%s'; write %%%% for a per cent sign", text)
          .isThrownBy(() -> String.format(text));
    }
  }

  /** As they stand in the code: what picocli hands out it has formatted already. */
  private static List<String> texts(CommandSpec command) {
    command.interpolateVariables(false);
    UsageMessageSpec usage = command.usageMessage();
    List<String> texts = new ArrayList<>();
    for (String[] lines : List.of(usage.header(), usage.description(), usage.footer())) {
      texts.addAll(List.of(lines));
    }
    texts.addAll(usage.exitCodeList().values());
    texts.add(usage.exitCodeListHeading());
    for (ArgSpec argument : command.args()) {
      texts.addAll(List.of(argument.description()));
    }
    return texts;
  }
}
