// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.TreeMap;

/** {@code --name value …} of a program of this package; an unknown name is an error. */
final class Arguments {
  private final Map<String, String> values;

  /**
   * @param defaults every name that there is, with its default
   */
  Arguments(Map<String, String> defaults, String... words) {
    values = new TreeMap<>(defaults);
    for (int i = 0; i < words.length; i += 2) {
      String name = words[i].replaceFirst("^--", "");
      if (!words[i].startsWith("--") || !values.containsKey(name) || i + 1 == words.length) {
        throw new IllegalArgumentException(
            "%s is not understood; expected --name value of %s (defaults)"
                .formatted(words[i], values));
      }
      values.put(name, words[i + 1]);
    }
  }

  String text(String name) {
    String value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no option is called " + name);
    }
    return value;
  }

  /** A folder in {@code dir} for this run alone: an earlier run's cluster left its files there. */
  Path runFolder() {
    String now =
        LocalDateTime.now(ZoneId.systemDefault())
            .format(DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmmss"));
    return Path.of(text("dir")).toAbsolutePath().resolve(now);
  }

  long number(String name) {
    return Long.parseLong(text(name));
  }

  int integer(String name) {
    return Integer.parseInt(text(name));
  }

  double real(String name) {
    return Double.parseDouble(text(name));
  }
}
