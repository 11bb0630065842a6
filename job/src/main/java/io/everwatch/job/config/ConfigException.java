// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

import java.util.List;

/** A configuration that cannot be used; the message lists every problem. */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final List<String> problems;

  public ConfigException(List<String> problems) {
    super(
        problems.size() == 1
            ? "the configuration cannot be used: " + problems.get(0)
            : "the configuration cannot be used, %d problems:%n  - ".formatted(problems.size())
                + String.join(System.lineSeparator() + "  - ", problems));
    this.problems = List.copyOf(problems);
  }

  public List<String> problems() {
    return problems;
  }
}
