// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import java.util.List;

/**
 * What a replay came to.
 *
 * @param firstChunk of the interval that was compared
 * @param compared events
 * @param agreeing those of them that follow from what is recorded
 * @param commands that were given again
 * @param notes what concerns all of it
 */
public record ReplayReport(
    String streamId,
    long firstChunk,
    long lastChunk,
    long compared,
    long agreeing,
    int commands,
    List<String> notes) {
  public ReplayReport {
    notes = List.copyOf(notes);
  }

  public boolean equal() {
    return compared > 0 && agreeing == compared;
  }
}
