// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import java.util.ArrayList;
import java.util.List;

/** What was found before a start; each a line that says what is, what was expected, what to do. */
public final class Findings {
  private final List<String> problems = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  /** With it the job would fail, now or in hour three. */
  public void problem(String line) {
    problems.add(line);
  }

  /** The job works; who runs it should know. */
  public void warning(String line) {
    warnings.add(line);
  }

  public List<String> problems() {
    return List.copyOf(problems);
  }

  public List<String> warnings() {
    return List.copyOf(warnings);
  }
}
