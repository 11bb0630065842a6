// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The grammar of the road. Every sentence starts with a space, so that sentences can be joined in
 * the text memory.
 */
public final class Sentences {
  private static final List<String> NUMBERS =
      List.of(
          "one",
          "two",
          "three",
          "four",
          "five",
          "six",
          "seven",
          "eight",
          "nine",
          "ten",
          "eleven",
          "twelve",
          "thirteen",
          "fourteen",
          "fifteen",
          "sixteen",
          "seventeen",
          "eighteen",
          "nineteen",
          "twenty");
  private static final Pattern NUMBER = Pattern.compile(" number (\\w+)");

  /** The count goes in rounds: after "twenty" comes "one". */
  public static final int COUNT_WRAP = NUMBERS.size();

  private Sentences() {}

  static String instruction(VehicleKind counted) {
    return " Watch the road and count the %s.".formatted(counted.plural());
  }

  static String enters(Paint paint, VehicleKind kind, String side) {
    return " A %s %s enters from the %s.".formatted(paint.word(), kind.word(), side);
  }

  /**
   * With its number, directly after the kind.
   *
   * @param number 1 to 20
   */
  static String entersCounted(Paint paint, VehicleKind kind, String side, int number) {
    return " A %s %s number %s enters from the %s."
        .formatted(paint.word(), kind.word(), NUMBERS.get(number - 1), side);
  }

  static String leaves(Paint paint, VehicleKind kind, String side) {
    return " The %s %s leaves to the %s.".formatted(paint.word(), kind.word(), side);
  }

  static String stops(Paint paint, VehicleKind kind) {
    return " The %s %s stops.".formatted(paint.word(), kind.word());
  }

  static String movesOn(Paint paint, VehicleKind kind) {
    return " The %s %s moves on.".formatted(paint.word(), kind.word());
  }

  static String lightTurns(Lamp lamp) {
    return " The light turns %s.".formatted(lamp.word());
  }

  /** Whether a vehicle comes in. */
  public static boolean isEntry(String sentence) {
    return sentence.contains(" enters ");
  }

  /** What the pictures of the last seconds show. */
  public static String withoutNumber(String sentence) {
    return NUMBER.matcher(sentence).replaceAll("");
  }

  /** 1 to 20; 0 when the word after "number" is none; empty when no number is said at all. */
  public static OptionalInt number(String sentence) {
    Matcher said = NUMBER.matcher(sentence);
    return said.find() ? OptionalInt.of(NUMBERS.indexOf(said.group(1)) + 1) : OptionalInt.empty();
  }
}
