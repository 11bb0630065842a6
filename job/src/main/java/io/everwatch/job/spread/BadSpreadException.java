// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.spread;

import java.util.List;

/** A spread registry that cannot be used. */
public final class BadSpreadException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Problems that the message names. */
  private static final int SHOWN = 10;

  BadSpreadException(List<String> problems) {
    super(
        String.join("; ", problems.subList(0, Math.min(SHOWN, problems.size())))
            + (problems.size() > SHOWN ? "; and %d more".formatted(problems.size() - SHOWN) : ""));
  }
}
