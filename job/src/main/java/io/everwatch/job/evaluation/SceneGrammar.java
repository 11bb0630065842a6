// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.util.List;

/** What a score must know of a scene's sentences. Pure. */
public interface SceneGrammar {
  /** The sentence without its recalled facts: what the pictures of the last seconds show. */
  String seen(String sentence);

  /** What only the stream's own text can tell. */
  List<RecalledFact> facts();
}
