// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.spread;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.everwatch.job.config.ConfigException;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.operators.flink.SpreadRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpreadFileTest {
  @TempDir private Path dir;

  @Test
  void readsLinesInAnyOrderAndPassesOverCommentsAndBlanks() {
    SpreadFile file = SpreadFile.parse("# cameras\n2,gate\r\n\n0,door, the left one\n");

    assertThat(file.places()).containsExactly(entry("gate", 2), entry("door, the left one", 0));
  }

  @Test
  void givesNewStreamsTheLeastFreePlacesAndLeavesAllElseAsItStands() {
    String before = "# mine\n1,gate\n3,door";

    SpreadFile after = SpreadFile.parse(before).with(List.of("gate", "yard", "roof", "hall"));

    assertThat(after.text()).isEqualTo(before + "\n0,yard\n2,roof\n4,hall\n");
    assertThat(after.with(List.of("door")).text()).isEqualTo(after.text());
  }

  @Test
  void namesEveryProblemWithItsLine() {
    assertThatThrownBy(
            () -> SpreadFile.parse("gate\n0,a\n0,b\n1,a\n70000,c\n5,\n6, d\n-1,e\n7,tab\tbed"))
        .isInstanceOf(BadSpreadException.class)
        .message()
        .contains(
            "line 1 is 'gate'; expected place,streamId",
            "line 3 gives stream b place 0, which is that of a; expected a place of its own, such as 1",
            "line 4 names stream a a second time (place 0 before)",
            "line 5 is '70000,c'; expected place,streamId with a place from 0 to 65535",
            "line 6 names a stream with an ID of 0 bytes",
            "line 7 names stream ' d'; expected no blanks around",
            "line 8 is '-1,e'",
            "line 9 names stream 'tab?bed'");
  }

  @Test
  void doesNotWriteWhatItCouldNotReadAgain() {
    assertThatThrownBy(() -> SpreadFile.empty().with(List.of("two\nlines")))
        .isInstanceOf(BadSpreadException.class);
  }

  @Test
  void isReadWhereTheJobIsStarted() throws Exception {
    Path file = dir.resolve("with blank.csv");
    Files.writeString(file, "5,tür\n");

    SpreadRegistry registry = SpreadSource.registry(config(file.toString()));

    assertThat(registry.key("tür"))
        .isEqualTo(SpreadFile.parse("5,tür").registry().key("tür"))
        .isNotEqualTo(SpreadRegistry.NONE.key("tür"));
    assertThat(SpreadSource.registry(config(file.toUri().toString().replace("%20", " "))).size())
        .isOne();
    assertThat(SpreadSource.registry(config("")).size()).isZero();
  }

  @Test
  void refusesAFileThatIsMissingTooLargeOrNotText() throws Exception {
    Path missing = dir.resolve("missing");
    Path large = dir.resolve("large");
    Path binary = dir.resolve("binary");
    Path wrong = dir.resolve("wrong");
    Files.writeString(large, "#".repeat(SpreadFile.MAX_BYTES + 1));
    Files.write(binary, "0,tür".getBytes(StandardCharsets.ISO_8859_1));
    Files.writeString(wrong, "gate\n");

    assertRefused(missing, "cannot be read where the job is started");
    assertRefused(large, "is longer than 1048576 bytes");
    assertRefused(binary, "is not UTF-8");
    assertRefused(wrong, "cannot be used: line 1 is 'gate'");
  }

  private static void assertRefused(Path file, String why) {
    assertThatThrownBy(() -> SpreadSource.registry(config(file.toString())))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("spread.registry " + file + " " + why);
  }

  private static EverwatchConfig config(String registry) {
    return EverwatchConfig.of("brokers", "localhost:1", "spread.registry", registry);
  }
}
