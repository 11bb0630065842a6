// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import java.util.List;

/**
 * A part of a video that is to be commented.
 *
 * @param id of its own; as published for the comparison of files
 * @param video file below the folder of videos
 * @param from seconds of the video at which the commentary begins
 * @param to seconds at which it ends
 * @param firstSecond what the model is told that {@code from} is
 * @param title of the video; may be empty
 * @param earlier what was said before, where there are no words with times
 * @param words the human commentary of the video, in order; empty where only {@code earlier} is
 *     known
 */
record Clip(
    String id,
    String video,
    double from,
    double to,
    long firstSecond,
    String title,
    String earlier,
    List<Word> words) {
  Clip {
    words = List.copyOf(words);
  }

  /**
   * The human commentary before a second of the video, which a stream that begins there is told.
   */
  String before(double second) {
    String said = Word.said(words, Double.NEGATIVE_INFINITY, second);
    return said.isEmpty() ? earlier : said;
  }
}
