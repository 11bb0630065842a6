// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.List;
import java.util.Optional;

/** One second of a {@link WorldCamera}. */
public final class Second {
  private final long index;
  private final String sentence;
  private final List<Due> due;
  private final String caption;
  private final List<Question> questions;
  private final List<Seen> movers;
  private final Optional<Lamp> lamp;

  Second(
      long index,
      Speech speech,
      String caption,
      List<Question> questions,
      List<Seen> movers,
      Optional<Lamp> lamp) {
    this.index = index;
    this.sentence = speech.text();
    this.due = List.copyOf(speech.due());
    this.caption = caption;
    this.questions = List.copyOf(questions);
    this.movers = List.copyOf(movers);
    this.lamp = lamp;
  }

  /** Of the stream, from 0. */
  public long index() {
    return index;
  }

  /** What happened, as sentences that begin with a space; empty = nothing. */
  public String sentence() {
    return sentence;
  }

  /** What of it only memory tells. */
  public List<Due> due() {
    return due;
  }

  /** What is to be seen. */
  public String caption() {
    return caption;
  }

  /** What may be asked at its end. */
  public List<Question> questions() {
    return questions;
  }

  List<Seen> movers() {
    return movers;
  }

  Optional<Lamp> lamp() {
    return lamp;
  }
}
