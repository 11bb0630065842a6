// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the value of a setting is written: in JSON with its own type, elsewhere as text.
 *
 * @param expected for messages, e.g. {@code a whole number from 1 to 60}
 */
record SettingType<T>(
    String expected, Predicate<JsonNode> accepts, Function<String, Optional<T>> parser) {
  private static final Pattern DURATION =
      Pattern.compile("(\\d{1,12}(?:\\.\\d{1,6})?)\\s*(us|ms|s|min|h|d)");

  Optional<T> parse(String text) {
    return parser.apply(text);
  }

  static SettingType<Long> whole(long from, long to) {
    return new SettingType<>(
        "a whole number from %d to %d".formatted(from, to),
        JsonNode::isIntegralNumber,
        text -> wholeNumber(text).filter(value -> value >= from && value <= to));
  }

  static SettingType<Long> multiple(long of, long from, long to) {
    SettingType<Long> whole = whole(from, to);
    return new SettingType<>(
        "a multiple of %d from %d to %d".formatted(of, from, to),
        whole.accepts(),
        text -> whole.parse(text).filter(value -> value % of == 0));
  }

  static SettingType<Double> number(double from, double to) {
    return new SettingType<>(
        "a number from %s to %s".formatted(plain(from), plain(to)),
        JsonNode::isNumber,
        text -> decimal(text).filter(value -> value >= from && value <= to));
  }

  static SettingType<Double> numberAbove(double above, double to) {
    return new SettingType<>(
        "a number above %s, at most %s".formatted(plain(above), plain(to)),
        JsonNode::isNumber,
        text -> decimal(text).filter(value -> value > above && value <= to));
  }

  /** Microseconds. */
  static SettingType<Long> duration(String from, String to) {
    long least = micros(from).orElseThrow();
    long most = micros(to).orElseThrow();
    return new SettingType<>(
        "a duration from \"%s\" to \"%s\" (us, ms, s, min, h, d)".formatted(from, to),
        JsonNode::isTextual,
        text -> micros(text).filter(value -> value >= least && value <= most));
  }

  /** In the largest unit up to seconds that divides it. */
  static String durationText(long micros) {
    if (micros % 1_000_000 == 0) {
      return micros / 1_000_000 + " s";
    }
    return micros % 1_000 == 0 ? micros / 1_000 + " ms" : micros + " us";
  }

  static SettingType<Boolean> flag() {
    return new SettingType<>(
        "true or false",
        JsonNode::isBoolean,
        text ->
            text.equals("true") || text.equals("false")
                ? Optional.of(text.equals("true"))
                : Optional.empty());
  }

  /** Any text up to a length; tokenising much longer text from outside could take minutes. */
  static SettingType<String> text(int longest) {
    return new SettingType<>(
        "text of at most %d characters".formatted(longest),
        JsonNode::isTextual,
        text -> Optional.of(text).filter(value -> value.length() <= longest));
  }

  /** A constant of an enum, written as {@code first-turn}. */
  static <E extends Enum<E>> SettingType<E> choice(Class<E> choices) {
    Function<E, String> spelled =
        choice -> choice.name().toLowerCase(Locale.ROOT).replace('_', '-');
    return new SettingType<>(
        "one of " + Arrays.stream(choices.getEnumConstants()).map(spelled).toList(),
        JsonNode::isTextual,
        text ->
            Arrays.stream(choices.getEnumConstants())
                .filter(choice -> spelled.apply(choice).equals(text))
                .findFirst());
  }

  private static Optional<Long> wholeNumber(String text) {
    try {
      return Optional.of(Long.parseLong(text));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** Decimal digits and exponent only: Java's own parser also takes {@code NaN} and {@code 1f}. */
  private static Optional<Double> decimal(String text) {
    try {
      return Optional.of(new BigDecimal(text).doubleValue());
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static Optional<Long> micros(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    BigDecimal micros =
        new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unitMicros(matcher.group(2))));
    try {
      return Optional.of(micros.longValueExact());
    } catch (ArithmeticException e) {
      return Optional.empty(); // a part of a microsecond, or beyond a long
    }
  }

  private static long unitMicros(String unit) {
    return switch (unit) {
      case "us" -> 1;
      case "ms" -> 1_000;
      case "s" -> 1_000_000;
      case "min" -> 60_000_000;
      case "h" -> 3_600_000_000L;
      case "d" -> 86_400_000_000L;
      default -> throw new IllegalArgumentException(unit);
    };
  }

  private static String plain(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }
}
