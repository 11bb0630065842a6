// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import java.util.List;

/** A job that would fail after its start; the message lists every problem and what to do. */
public final class StartException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public StartException(List<String> problems) {
    super(
        problems.size() == 1
            ? "the job cannot start: " + problems.get(0)
            : "the job cannot start, %d problems:%n  - ".formatted(problems.size())
                + String.join(System.lineSeparator() + "  - ", problems));
  }

  StartException(String problem, Throwable cause) {
    super("the job cannot start: " + problem, cause);
  }
}
