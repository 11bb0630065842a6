// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpreadCommandTest {
  @TempDir private Path dir;
  private final StringWriter out = new StringWriter();

  @Test
  void makesAFileExtendsItAndPrintsTheLoad() throws Exception {
    Path file = dir.resolve("spread.csv");

    assertThat(run(file, "--add", "a", "b", "c", "--parallelism", "2,4")).isZero();
    assertThat(out.toString())
        .contains("3 streams, 3 of them new")
        .contains("  2 subtasks: 2 1 streams, max / mean 1.33")
        .contains("  4 subtasks: 1 1 1 0 streams, max / mean 1.33");
    String first = Files.readString(file);
    assertThat(run(file, "--add", "d")).isZero();

    assertThat(Files.readString(file)).isEqualTo(first + "3,d\n");
    assertThat(out.toString()).contains("4 streams, 1 of them new");
    try (var files = Files.list(dir)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void refusesWhatItCannotDo() throws Exception {
    Path file = dir.resolve("spread.csv");

    assertThat(run(file)).isEqualTo(ExitCodes.FAILURE);
    assertThat(out.toString()).contains("there is no " + file);
    assertThat(run(file, "--from-topic")).isEqualTo(ExitCodes.USAGE);
    assertThat(out.toString()).contains("--brokers");
    assertThat(run(file, "--brokers", "localhost:1")).isEqualTo(ExitCodes.USAGE);
    assertThat(out.toString()).contains("--from-topic");
    assertThat(run(file, "--from-topic", "--brokers", "localhost:1", "--connect-timeout", "1ms"))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(out.toString()).contains("localhost:1");
    assertThat(run(file, "--add", "a", "--parallelism", "200")).isEqualTo(ExitCodes.USAGE);
    Files.writeString(file, "nonsense\n");
    assertThat(run(file, "--add", "a")).isEqualTo(ExitCodes.FAILURE);
    assertThat(out.toString()).contains("line 1 is 'nonsense'");
    assertThat(Files.readString(file)).isEqualTo("nonsense\n");
  }

  private int run(Path file, String... options) {
    List<String> arguments = new ArrayList<>(List.of("spread", "--registry", file.toString()));
    arguments.addAll(List.of(options));
    out.getBuffer().setLength(0);
    return Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(out))
        .execute(arguments.toArray(String[]::new));
  }
}
