// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResumableLinesTest {
  private static final ObjectNode ABOUT = JsonLines.object().put("model", "one").put("judge", "j");

  @TempDir Path folder;

  @Test
  void aLineThatWasNotWrittenWholeIsCutOffAndTheRunGoesOn() throws IOException {
    Path file = folder.resolve("out.jsonl");
    try (ResumableLines lines = new ResumableLines(file, ABOUT)) {
      assertThat(lines.found()).isEmpty();
      lines.add(JsonLines.object().put("n", 1));
      lines.add(JsonLines.object().put("n", 2).put("text", "é"));
    }
    Files.writeString(file, "{\"n\": 3, \"te", StandardOpenOption.APPEND);
    try (ResumableLines lines = new ResumableLines(file, ABOUT)) {
      assertThat(lines.found()).extracting(line -> line.get("n").asInt()).containsExactly(1, 2);
      lines.add(JsonLines.object().put("n", 4));
    }
    assertThat(file).hasContent("{\"n\":1}\n{\"n\":2,\"text\":\"é\"}\n{\"n\":4}\n");
  }

  @Test
  void resultsOfAnotherRunAreNotMixedIn() throws IOException {
    Path file = folder.resolve("out.jsonl");
    new ResumableLines(file, ABOUT).close();
    assertThatThrownBy(
            () ->
                new ResumableLines(file, JsonLines.object().put("model", "two").put("judge", "j")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("model was \"one\" and is \"two\"")
        .hasMessageNotContaining("judge");
    Path foreign = Files.writeString(folder.resolve("foreign.jsonl"), "{}\n");
    assertThatThrownBy(() -> new ResumableLines(foreign, ABOUT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("foreign.jsonl.run.json");
    assertThat(foreign).hasContent("{}\n");
  }
}
