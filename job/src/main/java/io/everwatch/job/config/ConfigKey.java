// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

import java.util.function.Function;

/**
 * One key of the configuration.
 *
 * @param name dotted, such as {@code checkpoint.interval}
 * @param type as the reference names it, such as {@code duration}
 * @param defaultText how the default is written; empty = none
 * @param description one sentence for the reference
 * @param parser from the text to the value; throws {@link IllegalArgumentException} that says what
 *     was expected
 */
public record ConfigKey<T>(
    String name, String type, String defaultText, String description, Function<String, T> parser) {

  T parse(String text) {
    return parser.apply(text);
  }
}
