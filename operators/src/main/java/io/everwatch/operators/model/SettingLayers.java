// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Values by key as text, each with its origin; a later layer replaces an earlier one. */
final class SettingLayers {
  private record Value(String text, String origin) {}

  private final Map<String, Value> values = new HashMap<>();

  SettingLayers() {
    for (SettingKey<?> key : SettingKey.ALL) {
      if (!key.builtIn().isEmpty() || key.equals(SettingKey.INSTRUCTION)) {
        values.put(key.name(), new Value(key.builtIn(), "built-in"));
      }
    }
  }

  private SettingLayers(SettingLayers other) {
    values.putAll(other.values);
  }

  SettingLayers copy() {
    return new SettingLayers(this);
  }

  void put(SettingKey<?> key, String text, String origin) {
    values.put(key.name(), new Value(text, origin));
  }

  /**
   * Adds what people wrote, in any of the usual spellings of a key.
   *
   * @param origin for messages, e.g. {@code job configuration}
   */
  void put(Map<String, String> written, String origin, Problems problems) {
    Map<String, String> spellings = new LinkedHashMap<>();
    written.forEach(
        (spelling, text) -> {
          String name = canonical(spelling);
          Optional<SettingKey<?>> key = key(name);
          String other = spellings.putIfAbsent(name, spelling);
          if (key.isEmpty()) {
            problems.add(unknown(origin, spelling));
          } else if (other != null) {
            problems.add(
                "%s: %s and %s mean the same, expected one of them"
                    .formatted(origin, other, spelling));
          } else {
            put(key.get(), text, origin);
          }
        });
  }

  static Optional<SettingKey<?>> key(String name) {
    return SettingKey.ALL.stream().filter(key -> key.name().equals(name)).findFirst();
  }

  static String unknown(String origin, String name) {
    return "%s: unknown key %s, expected one of %s".formatted(origin, name, SettingKey.names());
  }

  boolean has(SettingKey<?> key) {
    return values.containsKey(key.name());
  }

  String text(SettingKey<?> key) {
    return value(key).text();
  }

  String origin(SettingKey<?> key) {
    return value(key).origin();
  }

  /** The typed value; a problem and {@code harmless} if it is not one. */
  <T> T get(SettingKey<T> key, T harmless, Problems problems) {
    Value value = value(key);
    return key.type()
        .parse(value.text())
        .orElseGet(
            () -> {
              problems.add(
                  "%s: %s is \"%s\", expected %s"
                      .formatted(value.origin(), key.name(), value.text(), key.type().expected()));
              return harmless;
            });
  }

  private Value value(SettingKey<?> key) {
    Value value = values.get(key.name());
    if (value == null) {
      throw new IllegalStateException("nobody said " + key.name());
    }
    return value;
  }

  /** {@code text-window}, {@code text.window} and {@code textWindow} become {@code text_window}. */
  static String canonical(String spelling) {
    return spelling
        .replaceAll("([a-z0-9])([A-Z])", "$1_$2")
        .toLowerCase(Locale.ROOT)
        .replace('-', '_')
        .replace('.', '_');
  }
}
