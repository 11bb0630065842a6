// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import java.util.Map;
import java.util.TreeMap;

/** {@code --name value …} of a program of this package; an unknown name is an error. */
final class Options {
  private final Map<String, String> values;

  /**
   * @param defaults every name that there is, with its default
   */
  Options(Map<String, String> defaults, String... arguments) {
    values = new TreeMap<>(defaults);
    for (int i = 0; i < arguments.length; i += 2) {
      String name = arguments[i].replaceFirst("^--", "");
      if (!arguments[i].startsWith("--")
          || !values.containsKey(name)
          || i + 1 == arguments.length) {
        throw new IllegalArgumentException(
            "%s is not understood here; expected --name value of %s (defaults)"
                .formatted(arguments[i], values));
      }
      values.put(name, arguments[i + 1]);
    }
  }

  String text(String name) {
    String value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no option is called " + name);
    }
    return value;
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
