// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads typed fields of one JSON object and notes what is missing or of the wrong type, with the
 * place. After a problem the value returned is a harmless one; whoever reads calls {@link
 * Problems#throwIfAny} before using any.
 */
final class JsonFields {
  /** Characters of a wrong value in a message; it may be a list of millions. */
  private static final int SHOWN = 100;

  private final ObjectNode object;
  private final String place;
  private final Problems problems;

  /**
   * @param place prefix of the names in messages, e.g. {@code vision_config.}; may be empty
   */
  JsonFields(ObjectNode object, String place, Problems problems) {
    this.object = object;
    this.place = place;
    this.problems = problems;
  }

  Problems problems() {
    return problems;
  }

  /** The field, unless it is absent or JSON null. */
  Optional<JsonNode> optional(String name) {
    JsonNode node = object.get(name);
    return node == null || node.isNull() ? Optional.empty() : Optional.of(node);
  }

  /**
   * A whole number from 1.
   *
   * @param max far above any published model; products of such numbers stay within an int
   */
  int positive(String name, int max) {
    return optional(name).map(node -> positive(name, node, max)).orElseGet(() -> missing(name, 1));
  }

  /** The first of {@code names} that is there; if several are, they must agree. */
  int positiveOfAny(int max, String... names) {
    List<Integer> values = new ArrayList<>();
    for (String name : names) {
      optional(name).ifPresent(node -> values.add(positive(name, node, max)));
    }
    if (values.isEmpty()) {
      return missing(names[0], 1);
    }
    if (values.stream().distinct().count() > 1) {
      problems.add("%s%s contradict each other: %s".formatted(place, List.of(names), values));
    }
    return values.get(0);
  }

  private int positive(String name, JsonNode node, int max) {
    if (!node.isIntegralNumber()
        || !node.canConvertToInt()
        || node.intValue() < 1
        || node.intValue() > max) {
      return wrong(name, node, "a whole number from 1 to " + max, 1);
    }
    return node.intValue();
  }

  double positiveNumber(String name) {
    return optional(name)
        .map(
            node ->
                node.isNumber() && node.doubleValue() > 0 && Double.isFinite(node.doubleValue())
                    ? node.doubleValue()
                    : wrong(name, node, "a number above 0", 1.0))
        .orElseGet(() -> missing(name, 1.0));
  }

  /** A number from 0. */
  Optional<Double> optionalNumber(String name) {
    return optional(name)
        .map(
            node ->
                node.isNumber() && node.doubleValue() >= 0 && Double.isFinite(node.doubleValue())
                    ? node.doubleValue()
                    : wrong(name, node, "a number from 0", 0.0));
  }

  /** A whole number from 0. */
  Optional<Integer> optionalInteger(String name) {
    return optional(name)
        .map(node -> isIndex(node) ? node.intValue() : wrong(name, node, "a number from 0", 0));
  }

  boolean flag(String name, boolean absent) {
    return optional(name)
        .map(n -> n.isBoolean() ? n.booleanValue() : wrong(name, n, "true or false", absent))
        .orElse(absent);
  }

  String text(String name) {
    return optional(name)
        .map(node -> node.isTextual() ? node.textValue() : wrong(name, node, "a string", ""))
        .orElseGet(() -> missing(name, ""));
  }

  /** Whole numbers from 0. */
  List<Integer> integers(String name) {
    Optional<JsonNode> node = optional(name);
    if (node.isEmpty()) {
      return missing(name, List.of());
    }
    List<Integer> values = new ArrayList<>();
    for (JsonNode element : node.get()) {
      if (!isIndex(element)) {
        return wrong(name, node.get(), "a list of whole numbers from 0", List.of());
      }
      values.add(element.intValue());
    }
    return node.get().isArray()
        ? List.copyOf(values)
        : wrong(name, node.get(), "a list of whole numbers from 0", List.of());
  }

  /** A token id. */
  int tokenId(String name) {
    return optional(name)
        .map(node -> isIndex(node) ? node.intValue() : wrong(name, node, "a token id", 0))
        .orElseGet(() -> missing(name, 0));
  }

  /** One token id or a list of them; empty if absent. */
  List<Integer> tokenIds(String name) {
    Optional<JsonNode> node = optional(name);
    if (node.isEmpty()) {
      return List.of();
    }
    return node.get().isArray() ? integers(name) : List.of(tokenId(name));
  }

  Optional<ObjectNode> object(String name) {
    return optional(name)
        .flatMap(
            node ->
                node instanceof ObjectNode found
                    ? Optional.of(found)
                    : wrong(name, node, "an object", Optional.<ObjectNode>empty()));
  }

  <T> T missing(String name, T harmless) {
    problems.add("%s%s is missing".formatted(place, name));
    return harmless;
  }

  <T> T wrong(String name, JsonNode found, String expected, T harmless) {
    String text = found.toString();
    String shown = text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    problems.add("%s%s is %s, expected %s".formatted(place, name, shown, expected));
    return harmless;
  }

  private static boolean isIndex(JsonNode node) {
    return node.isIntegralNumber() && node.canConvertToInt() && node.intValue() >= 0;
  }
}
