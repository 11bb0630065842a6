// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import java.util.Map;

/**
 * One check or timing and what it came to: a line of {@code PART.jsonl}, which Java and Python
 * write alike.
 *
 * @param item unique within its part
 * @param detail what failed, or why it was skipped; empty otherwise
 * @param figures by name; units are in the names
 */
record Item(
    String part,
    String item,
    Status status,
    double seconds,
    String detail,
    Map<String, Object> figures) {
  /** How far it came. */
  enum Status {
    /** Begun; if it stays the last line of an item, its process ended in the middle of it. */
    STARTED,
    PASSED,
    FAILED,
    /** Cannot be done on this machine; the detail says why. */
    SKIPPED
  }

  static Item started(String part, String item) {
    return new Item(part, item, Status.STARTED, 0, "", Map.of());
  }

  boolean isOver() {
    return status != Status.STARTED;
  }

  /** A figure that is a number. */
  double number(String name) {
    return figures.get(name) instanceof Number number ? number.doubleValue() : Double.NaN;
  }
}
