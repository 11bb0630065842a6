// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.ArrayList;
import java.util.List;

/** The sentence of one second while it is made. */
final class Speech {
  private final StringBuilder text = new StringBuilder();
  private final List<Due> due = new ArrayList<>();

  Speech say(String part) {
    text.append(part);
    return this;
  }

  /** A word that follows from {@code fact}. */
  Speech recall(Due.What what, String word, Fact<?> fact) {
    due.add(new Due(what, text.length(), text.length() + word.length(), fact.told()));
    text.append(word);
    return this;
  }

  boolean isEmpty() {
    return text.isEmpty();
  }

  String text() {
    return text.toString();
  }

  List<Due> due() {
    return due;
  }
}
