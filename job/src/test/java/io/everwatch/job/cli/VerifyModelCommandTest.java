// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyModelCommandTest {
  private static final Path GOLDEN = Path.of("../operators/src/test/golden/qwen2_5_vl");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int verify(Path golden, String... more) {
    String[] arguments = new String[more.length + 3];
    arguments[0] = "verify-model";
    arguments[1] = "--golden";
    arguments[2] = golden.toString();
    System.arraycopy(more, 0, arguments, 3, more.length);
    return Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  private List<JsonNode> lines() {
    return out.toString()
        .lines()
        .map(
            line -> {
              try {
                return JSON.readTree(line);
              } catch (IOException e) {
                throw new UncheckedIOException(line, e);
              }
            })
        .toList();
  }

  @Test
  void everyGoldenCaseIsWithinItsLimit() {
    assertThat(verify(GOLDEN)).as(err.toString()).isEqualTo(ExitCodes.OK);
    assertThat(lines())
        .hasSizeGreaterThan(50)
        .allSatisfy(
            line -> {
              assertThat(line.get("passed").asBoolean()).as(line.toString()).isTrue();
              assertThat(line.get("worst").asDouble())
                  .isLessThanOrEqualTo(line.get("limit").asDouble());
            });
  }

  @Test
  void aFolderOfSparsePrefillCasesGivesALinePerFile() {
    Path flex = GOLDEN.resolveSibling("flexprefill");
    assertThat(verify(flex, "--plain-products")).as(err.toString()).isEqualTo(ExitCodes.OK);
    assertThat(lines())
        .hasSize(10)
        .allSatisfy(
            line -> {
              assertThat(line.get("group").asText()).isEqualTo("flexprefill");
              assertThat(flex.resolve(line.get("case").asText() + ".safetensors")).exists();
              assertThat(line.get("worst").asDouble()).isGreaterThan(0).isLessThanOrEqualTo(1);
            });
  }

  @Test
  void aWrongExpectationIsShownAndFails() throws IOException {
    Path positions = Files.createDirectories(folder.resolve("positions"));
    String cases = Files.readString(GOLDEN.resolve("positions/cases.json"));
    copy(GOLDEN, folder, "tiny_a");
    copy(GOLDEN, folder, "tiny_b");
    Files.writeString(positions.resolve("cases.json"), cases.replaceAll("\\b11\\b", "12"));
    assertThat(verify(folder)).isEqualTo(ExitCodes.FAILURE);
    assertThat(lines()).anySatisfy(line -> assertThat(line.get("passed").asBoolean()).isFalse());
    assertThat(err.toString()).doesNotContain(" 0 above their limit");
  }

  @Test
  void aFolderWithoutCasesFails() {
    assertThat(verify(folder)).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("no golden case in " + folder).contains("positions");
  }

  @Test
  void aMissingFolderIsNamed() {
    assertThat(verify(folder.resolve("none"))).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("there is no folder").contains("none");
  }

  @Test
  void anUnknownBackEndIsNamed() {
    assertThat(verify(GOLDEN, "--device", "abacus")).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("no back end named 'abacus'");
  }

  private static void copy(Path from, Path to, String name) throws IOException {
    Path target = Files.createDirectories(to.resolve(name));
    try (var files = Files.list(from.resolve(name))) {
      for (Path file : files.toList()) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    }
  }
}
