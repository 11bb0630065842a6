// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import java.util.ArrayList;
import java.util.List;

/** What was found before a start; each a line that says what is, what was expected, what to do. */
public final class Findings {
  private final List<String> problems = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  /** With it the job would fail, now or in hour three. */
  public void problem(String message, Object... values) {
    problems.add(message.formatted(values));
  }

  /** The job works; who runs it should know. */
  public void warning(String message, Object... values) {
    warnings.add(message.formatted(values));
  }

  public List<String> problems() {
    return List.copyOf(problems);
  }

  public List<String> warnings() {
    return List.copyOf(warnings);
  }
}
