// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

/** Level and form of the command line's log, both in {@code log4j2.properties}. */
final class Logs {
  // Read there when the first logger is made, which no command does before it is called.
  private static final String LEVEL = "everwatch.log.level";
  private static final String FORMAT = "everwatch.log.format";

  private Logs() {}

  /** Everything from INFO on, for {@code --debug}. */
  static void verbose() {
    System.setProperty(LEVEL, "INFO");
  }

  /** One JSON object a line, for {@code --log-json}. */
  static void json() {
    System.setProperty(FORMAT, "json");
  }
}
