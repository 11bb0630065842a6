// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

import io.everwatch.kernels.DType;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** From text to typed values; each failure says what was expected. */
public final class Parsers {
  /** Follows the group in the names of its transactions. */
  static final String TRANSACTIONS = "-text";

  private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d+)\\s*([A-Za-z]*)");

  private static final Map<String, Long> MILLIS =
      Map.of("ms", 1L, "s", 1000L, "min", 60_000L, "m", 60_000L, "h", 3_600_000L);

  private static final Map<String, Integer> SHIFTS = Map.of("", 0, "k", 10, "m", 20, "g", 30);

  private Parsers() {}

  /** {@code 500 ms}, {@code 10s}, {@code 2 min}, {@code 1 h}, {@code 0}; ISO {@code PT10S} too. */
  public static Duration duration(String text) {
    String trimmed = text.strip();
    try {
      if (trimmed.regionMatches(true, 0, "PT", 0, 2)) {
        return Duration.parse(trimmed);
      }
      Matcher matcher = NUMBER_AND_UNIT.matcher(trimmed);
      if (matcher.matches()) {
        Long unit =
            matcher.group(1).equals("0") && matcher.group(2).isEmpty()
                ? Long.valueOf(1)
                : MILLIS.get(matcher.group(2).toLowerCase(Locale.ROOT));
        if (unit != null) {
          return Duration.ofMillis(Math.multiplyExact(Long.parseLong(matcher.group(1)), unit));
        }
      }
    } catch (ArithmeticException | NumberFormatException | DateTimeException e) {
      // Too large, or no such thing: the one message for all.
    }
    throw new IllegalArgumentException("expected a duration such as 500 ms, 10 s, 2 min or 1 h");
  }

  /** Bytes from {@code 8 MiB}, {@code 256m}, {@code 4096}; all units are powers of 1024. */
  public static long size(String text) {
    Matcher matcher = NUMBER_AND_UNIT.matcher(text.strip());
    if (matcher.matches()) {
      String unit = matcher.group(2).toLowerCase(Locale.ROOT).replaceFirst("i?b$", "");
      Integer shift = SHIFTS.get(unit);
      try {
        if (shift != null) {
          return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << shift);
        }
      } catch (ArithmeticException | NumberFormatException e) {
        // Too large: the one message for all.
      }
    }
    throw new IllegalArgumentException("expected a size such as 4096, 512 KiB, 8 MiB or 2 GiB");
  }

  /** {@code auto}, which stands for {@code own}, or what {@code parser} takes. */
  static <T> Function<String, T> orAuto(Function<String, T> parser, T own) {
    return text -> {
      if (text.strip().equals("auto")) {
        return own;
      }
      try {
        return parser.apply(text);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(e.getMessage() + ", or auto", e);
      }
    };
  }

  /** A type in which a back end can compute. */
  public static Optional<DType> dtype(String text) {
    return switch (text.strip()) {
      case "f32" -> Optional.of(DType.F32);
      case "bf16" -> Optional.of(DType.BF16);
      default -> throw new IllegalArgumentException("expected f32 or bf16");
    };
  }

  /** A whole number within bounds. */
  public static Function<String, Integer> integer(int min, int max) {
    return text -> {
      try {
        int value = Integer.parseInt(text.strip());
        if (value >= min && value <= max) {
          return value;
        }
      } catch (NumberFormatException e) {
        // Falls through to the one message for both.
      }
      throw new IllegalArgumentException(
          "expected a whole number from %d to %d".formatted(min, max));
    };
  }

  static Function<String, Duration> durationOf(Duration min, Duration max) {
    return text -> {
      Duration value = duration(text);
      if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
        throw new IllegalArgumentException(
            "expected a duration from %s to %s".formatted(write(min), write(max)));
      }
      return value;
    };
  }

  static Function<String, Long> sizeOf(long min, long max) {
    return text -> {
      long value = size(text);
      if (value < min || value > max) {
        throw new IllegalArgumentException(
            "expected a size from %d to %d bytes".formatted(min, max));
      }
      return value;
    };
  }

  /** A constant by its name, written {@code EXACTLY_ONCE} or {@code exactly-once}. */
  public static <E extends Enum<E>> Function<String, E> oneOf(Class<E> type) {
    return text -> {
      String name = text.strip().toUpperCase(Locale.ROOT).replace('-', '_');
      return Arrays.stream(type.getEnumConstants())
          .filter(constant -> constant.name().equals(name))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("expected one of " + names(type)));
    };
  }

  static <E extends Enum<E>> String names(Class<E> type) {
    return Arrays.stream(type.getEnumConstants())
        .map(Parsers::write)
        .collect(Collectors.joining(", "));
  }

  static String write(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static String write(Duration duration) {
    long millis = duration.toMillis();
    for (String unit : List.of("h", "min", "s")) {
      long length = MILLIS.getOrDefault(unit, 1L);
      if (millis > 0 && millis % length == 0) {
        return millis / length + " " + unit;
      }
    }
    return millis + " ms";
  }

  static boolean yesOrNo(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException("expected true or false");
    };
  }

  /** Not blank. */
  static String text(String text) {
    if (text.isBlank()) {
      throw new IllegalArgumentException("expected something, not blanks");
    }
    return text.strip();
  }

  /**
   * A consumer group. The sink ends every transaction whose id begins with its group and {@link
   * #TRANSACTIONS}, so no other group may begin that way.
   */
  static String group(String text) {
    String group = text(text);
    int at = group.indexOf(TRANSACTIONS);
    if (at >= 0) {
      throw new IllegalArgumentException(
          "expected no '%s' in it: a job of group '%s' would end the transactions of this one; take '%s'"
              .formatted(
                  TRANSACTIONS, group.substring(0, at), group.replace(TRANSACTIONS, "_text")));
    }
    return group;
  }

  /** What Kafka takes as the name of a topic. */
  static String topic(String text) {
    if (!text.matches("[a-zA-Z0-9._-]{1,249}")) {
      throw new IllegalArgumentException("expected a topic: letters, digits, '.', '_', '-'");
    }
    return text;
  }

  /** {@code host:port} with commas between. */
  static String brokers(String text) {
    String trimmed = text.replace(" ", "");
    if (!trimmed.matches("[^,:\\s]+:\\d{1,5}(,[^,:\\s]+:\\d{1,5})*")
        && !trimmed.matches("\\[[0-9a-fA-F:]+\\]:\\d{1,5}")) {
      throw new IllegalArgumentException("expected host:port, several with commas between");
    }
    return trimmed;
  }
}
