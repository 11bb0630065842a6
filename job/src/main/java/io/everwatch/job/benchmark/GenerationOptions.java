// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import java.util.OptionalInt;

/**
 * How clips are commented.
 *
 * @param query what the model is asked; {@code {title}} stands for the clip's title
 * @param queryInFirstTurn as published; else it opens the standing text, where the sink keeps it
 * @param pieceSeconds chunk mode: a fresh stream so often; empty: infinite mode
 * @param parallel clips at once
 */
public record GenerationOptions(
    String query, boolean queryInFirstTurn, OptionalInt pieceSeconds, int parallel) {
  public GenerationOptions {
    if (query.isBlank() || parallel < 1 || pieceSeconds.orElse(1) < 1) {
      throw new IllegalArgumentException(
          "query '%s', pieces of %s s, %d clips at once; expected a query, and at least 1"
              .formatted(query, pieceSeconds, parallel));
    }
  }

  String query(Clip clip) {
    String title = clip.title().isEmpty() ? "a sports video" : "\"" + clip.title() + "\"";
    return query.replace("{title}", title);
  }
}
