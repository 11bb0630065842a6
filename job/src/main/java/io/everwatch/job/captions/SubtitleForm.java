// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import java.util.List;

/** How subtitles are written down. */
interface SubtitleForm {
  /** What a file begins with. */
  String header();

  /**
   * One cue with its end.
   *
   * @param number from 1
   * @param fromMicros place in the file; less than {@code toMicros} in whole milliseconds
   * @param lines without control characters, none blank
   */
  String cue(long number, long fromMicros, long toMicros, List<String> lines);

  /** What players do not show; empty where the form has no such thing. */
  String note(String text);
}
