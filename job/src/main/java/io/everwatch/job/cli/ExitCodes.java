// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

/** What a command returns. */
public final class ExitCodes {
  public static final int OK = 0;

  /** The command was understood and did not succeed; one line on stderr says why. */
  public static final int FAILURE = 1;

  /** The command line itself was wrong. */
  public static final int USAGE = 2;

  private ExitCodes() {}
}
