// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.List;
import java.util.regex.Pattern;

/** The words of the scenes. */
public final class Words {
  private static final List<String> NUMBERS =
      List.of(
          "none one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
              .split(" "));
  private static final Pattern MEMORY =
      Pattern.compile(" number \\w+| after a \\w+ one|, \\w+ inside");

  /** A count goes in rounds: after "twenty" comes "one". */
  public static final int ROUND = NUMBERS.size() - 1;

  private Words() {}

  /** 0 to 20 as a word. */
  public static String number(int n) {
    return NUMBERS.get(n);
  }

  /** The number that a word names, 0 to 20, or -1. */
  public static int valueOf(String word) {
    return NUMBERS.indexOf(word);
  }

  /** The sentence without the parts that only memory tells. */
  public static String bare(String sentence) {
    return MEMORY.matcher(sentence).replaceAll("");
  }

  static String plural(String word) {
    return word.endsWith("s") ? word + "es" : word + "s";
  }
}
