// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;

/** The level of the command line's log; its form is in {@code log4j2.properties}. */
final class Logs {
  private Logs() {}

  /** Everything from INFO on, for {@code --debug}. */
  static void verbose() {
    Configurator.setRootLevel(Level.INFO);
  }
}
