// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import java.util.Locale;

/** How a stream is doing, as far as the topics tell. */
enum StreamState {
  /** Text comes. */
  LIVE,
  /** Frames come but no text: the job is down, or behind. */
  WAITING,
  /** No frames. */
  SILENT,
  /** By command. */
  STOPPED,
  ENDED;

  String json() {
    return name().toLowerCase(Locale.ROOT);
  }
}
