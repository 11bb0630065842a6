// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

/**
 * Names of the four topics.
 *
 * @param frames what cameras write
 * @param text what the job says
 * @param deadLetters records that could not be used, each with its reason
 * @param commands what the job is told
 */
public record TopicNames(String frames, String text, String deadLetters, String commands) {
  public static final String FRAMES = "frames";
  public static final String TEXT = "text";
  public static final String DEAD_LETTERS = "frames.dlq";
  public static final String COMMANDS = "commands";

  public static TopicNames defaults() {
    return new TopicNames(FRAMES, TEXT, DEAD_LETTERS, COMMANDS);
  }
}
