// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.ArrayList;
import java.util.List;

/** Collects what is wrong with one thing, so that a person reads all of it at once. */
final class Problems {
  /** A checkpoint of the wrong kind misses hundreds of tensors; the first ones tell which kind. */
  private static final int SHOWN = 20;

  private final List<String> found = new ArrayList<>();

  void add(String problem) {
    found.add(problem);
  }

  boolean any() {
    return !found.isEmpty();
  }

  /**
   * Does nothing if nothing was added.
   *
   * @param subject what is wrong, e.g. a path
   * @param remedy what to do
   * @throws BadModelException naming all problems
   */
  void throwIfAny(String subject, String remedy) {
    if (found.isEmpty()) {
      return;
    }
    StringBuilder message = new StringBuilder(subject);
    message.append(found.size() == 1 ? ": " : ": %d problems".formatted(found.size()));
    if (found.size() == 1) {
      message.append(found.get(0));
    } else {
      found.stream().limit(SHOWN).forEach(p -> message.append("\n  - ").append(p));
      if (found.size() > SHOWN) {
        message.append("\n  - and %d more".formatted(found.size() - SHOWN));
      }
    }
    throw new BadModelException(message.append("\n").append(remedy).toString());
  }
}
