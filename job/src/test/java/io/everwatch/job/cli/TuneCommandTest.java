// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.model.TuningProfile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TuneCommandTest {
  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int tune(Path to, String... more) {
    List<String> arguments =
        Stream.concat(Stream.of("tune", "--threads", "1", "--out", to.toString()), Stream.of(more))
            .toList();
    return Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments.toArray(new String[0]));
  }

  @Test
  void writesTheProfileAndPrintsTheGrid() throws IOException {
    Path file = folder.resolve("cpu.json");
    assertThat(
            tune(
                file,
                "--max-rows",
                "256",
                "--repetitions",
                "1",
                "--streaming",
                "sparse_min_budget=64",
                "--streaming",
                "sparse_block=32"))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
    TuningProfile profile = TuningProfile.read(file);
    assertThat(profile.selector().minBudget()).isEqualTo(64);
    assertThat(profile.keys()).containsExactly(64, 128, 256);
    assertThat(out.toString())
        .contains("new \\ keys       64      128      256")
        .contains("pieces of " + profile.piece() + " rows")
        .contains(profile.digest().substring(0, 16));
    assertThat(err.toString()).contains("prompt of 128 rows: ").contains("256 new of 256 rows: ");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void refusesAFileThatCannotBeBeforeItMeasures() {
    assertThat(tune(folder.resolve("none/cpu.json"))).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("a file in a folder that exists");
    assertThat(tune(folder)).isEqualTo(ExitCodes.FAILURE);
    assertThat(tune(folder.resolve("a"), "--max-rows", "3")).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("expected 256 to 4194304 rows");
    assertThat(out.toString()).isEmpty();
  }
}
