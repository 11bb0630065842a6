// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import java.util.LinkedHashSet;
import java.util.Set;
import picocli.CommandLine.Option;

/** Which streams, for commands that read them all by default; a mix-in. */
public final class StreamOptions {
  @Option(
      names = "--stream",
      paramLabel = "ID",
      description = "Only this stream; repeatable (default: all).")
  private Set<String> streams = new LinkedHashSet<>();

  /** Empty: all. */
  public Set<String> streams() {
    return Set.copyOf(streams);
  }
}
