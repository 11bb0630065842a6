// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

/** What happens to a simulated stream besides being understood. */
enum Trouble {
  NONE,
  /** Four seconds without frames, again and again. */
  GAPS,
  /** The model says markup. */
  MARKUP,
  /** No frames since 45 seconds before the wall was opened. */
  SILENT,
  /** Frames, but no text since 12 seconds before. */
  WAITING,
  /** Stopped by a command 200 seconds before. */
  STOPPED,
  /** Gone 90 seconds before. */
  ENDED,
  /** Falls behind: skips, and looks at seconds together. */
  OVERLOADED,
  /** Now and then a second that cannot be understood. */
  ERRORS;

  static Trouble of(int index) {
    int place = index % 20;
    return place >= 2 && place < values().length + 1 ? values()[place - 1] : NONE;
  }
}
