// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

/** The level of the command line's log; its form is in {@code log4j2.properties}. */
final class Logs {
  /** Read there when the first logger is made, which no command does before it is called. */
  private static final String LEVEL = "everwatch.log.level";

  private Logs() {}

  /** Everything from INFO on, for {@code --debug}. */
  static void verbose() {
    System.setProperty(LEVEL, "INFO");
  }
}
