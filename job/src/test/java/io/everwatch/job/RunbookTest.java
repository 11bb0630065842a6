// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every failure in docs/runbook.md says what happens, what to do, and which test shows it. */
class RunbookTest {
  private static final Path ROOT = Path.of("..");
  private static final String RUNBOOK = "docs/runbook.md";
  private static final String HEAD =
      "| failure | what one sees | what the job does | what you do | test |";

  private static final Pattern NAMED = Pattern.compile("`(\\w+)\\.(\\w+)`");

  /**
   * @param cells of a row in a table of failures
   */
  private record Row(String failure, List<String> cells) {
    private List<MatchResult> tests() {
      return NAMED.matcher(cells.get(cells.size() - 1)).results().toList();
    }
  }

  @Test
  void everyRowIsCompleteAndNamesATest() throws IOException {
    assertThat(rows())
        .hasSizeGreaterThan(25)
        .allSatisfy(
            row -> {
              assertThat(row.cells()).as("cells of '%s'", row.failure()).hasSize(5);
              assertThat(row.cells()).as(row.failure()).noneMatch(String::isBlank);
              assertThat(row.tests()).as("tests of '%s'", row.failure()).isNotEmpty();
            });
  }

  @Test
  void everyNamedTestExists() throws IOException {
    List<Path> sources = testSources();
    assertThat(sources).hasSizeGreaterThan(50);
    for (Row row : rows()) {
      for (MatchResult test : row.tests()) {
        assertThat(methods(sources, test.group(1)))
            .as("tests in %s, for '%s'", test.group(1), row.failure())
            .contains(test.group(2));
      }
    }
  }

  @Test
  void everyNamedAlertExists() throws IOException {
    Set<String> rules =
        Pattern.compile("alert: (\\w+)")
            .matcher(Files.readString(ROOT.resolve("deploy/prometheus/alerts.yml")))
            .results()
            .map(rule -> rule.group(1))
            .collect(Collectors.toSet());
    List<String> named =
        Pattern.compile("(?<![`.])\\bEverwatch[A-Z]\\w+") // classes stand in back quotes
            .matcher(Files.readString(ROOT.resolve(RUNBOOK)))
            .results()
            .map(MatchResult::group)
            .toList();

    assertThat(named).hasSizeGreaterThan(5);
    assertThat(rules).containsAll(named);
  }

  private static List<Row> rows() throws IOException {
    boolean inside = false;
    Stream.Builder<Row> rows = Stream.builder();
    for (String line : Files.readAllLines(ROOT.resolve(RUNBOOK))) {
      inside = line.equals(HEAD) || (inside && line.startsWith("|"));
      if (inside && !line.equals(HEAD) && !line.startsWith("| ---")) {
        List<String> cells =
            Arrays.stream(line.substring(1).split("\\|", -1)).map(String::strip).toList();
        rows.add(new Row(cells.get(0), cells.subList(0, cells.size() - 1)));
      }
    }
    return rows.build().toList();
  }

  /** The methods with a test annotation of every class of that name: two modules may have one. */
  private static List<String> methods(List<Path> sources, String className) throws IOException {
    Pattern method = Pattern.compile("@(?:Test|ParameterizedTest)\\b[\\s\\S]*?\\bvoid (\\w+)\\(");
    Stream.Builder<String> names = Stream.builder();
    for (Path source : sources) {
      if (source.endsWith(className + ".java")) {
        method
            .matcher(Files.readString(source))
            .results()
            .map(found -> found.group(1))
            .forEach(names::add);
      }
    }
    return names.build().toList();
  }

  private static List<Path> testSources() throws IOException {
    try (Stream<Path> modules = Files.list(ROOT)) {
      Stream.Builder<Path> found = Stream.builder();
      for (Path module : modules.toList()) {
        Path tests = module.resolve("src/test/java");
        if (Files.isDirectory(tests)) {
          try (Stream<Path> files = Files.walk(tests)) {
            files.filter(file -> file.toString().endsWith(".java")).forEach(found::add);
          }
        }
      }
      return found.build().toList();
    }
  }
}
