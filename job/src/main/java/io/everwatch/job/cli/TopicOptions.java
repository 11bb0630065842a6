// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.TopicNames;
import picocli.CommandLine.Option;

/** Names of the topics, for commands that use them; a mix-in. */
public final class TopicOptions {
  @Option(
      names = "--frames-topic",
      paramLabel = "NAME",
      defaultValue = TopicNames.FRAMES,
      description = "Topic of frames (default: ${DEFAULT-VALUE}).")
  private String frames = TopicNames.FRAMES;

  @Option(
      names = "--text-topic",
      paramLabel = "NAME",
      defaultValue = TopicNames.TEXT,
      description = "Topic of text events (default: ${DEFAULT-VALUE}).")
  private String text = TopicNames.TEXT;

  @Option(
      names = "--dlq-topic",
      paramLabel = "NAME",
      defaultValue = TopicNames.DEAD_LETTERS,
      description = "Topic of records that could not be used (default: ${DEFAULT-VALUE}).")
  private String deadLetters = TopicNames.DEAD_LETTERS;

  @Option(
      names = "--commands-topic",
      paramLabel = "NAME",
      defaultValue = TopicNames.COMMANDS,
      description = "Topic of commands (default: ${DEFAULT-VALUE}).")
  private String commands = TopicNames.COMMANDS;

  public TopicNames names() {
    return new TopicNames(frames, text, deadLetters, commands);
  }
}
