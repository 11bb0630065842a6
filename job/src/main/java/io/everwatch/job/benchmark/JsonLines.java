// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.benchmark.Skips.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;

/** A file with a JSON object in each line. Bad bytes become U+FFFD, which is found later. */
final class JsonLines {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Takes a line; says what is wrong with it by {@link IllegalArgumentException}. */
  @FunctionalInterface
  interface Taker {
    void take(JsonNode line);
  }

  private JsonLines() {}

  /** Hands over each line that is an object; the others are skipped. */
  static void read(Path file, Skips skips, Taker taker) throws IOException {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
      long number = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (!line.isBlank()) {
          try {
            taker.take(parse(line));
          } catch (IllegalArgumentException e) {
            skips.add(
                Reason.MALFORMED_LINE, "%s, line %d: %s".formatted(file, number, e.getMessage()));
          }
        }
      }
    }
  }

  static ObjectNode parse(String line) {
    try {
      if (MAPPER.readTree(line) instanceof ObjectNode object) {
        return object;
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e.getOriginalMessage(), e);
    }
    throw new IllegalArgumentException("no JSON object");
  }

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** A text that must be there. */
  static String text(JsonNode line, String field) {
    JsonNode value = line.path(field);
    if (!value.isTextual() && !value.isNumber()) {
      throw new IllegalArgumentException("no text '%s'".formatted(field));
    }
    return value.asText();
  }

  /** A number that must be there. */
  static double number(JsonNode line, String field) {
    return number(line.path(field))
        .orElseThrow(() -> new IllegalArgumentException("no number '%s'".formatted(field)));
  }

  static OptionalDouble number(JsonNode value) {
    return value.isNumber() && Double.isFinite(value.asDouble())
        ? OptionalDouble.of(value.asDouble())
        : OptionalDouble.empty();
  }
}
