// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

/** A synthetic camera with its truth, from its first second on. Used by one thread. */
public interface TrueCamera {
  /** Decides all that is random. */
  long seed();

  /** What to tell the model, once. */
  String instruction();

  /** Frames of a second. */
  int fps();

  /** Lets one second pass. */
  TrueSecond next();

  /** How its sentences are read. */
  SceneGrammar grammar();
}
