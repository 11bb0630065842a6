// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The header of a safetensors file, fully checked against the length of its data: every tensor's
 * length is that of its type and shape, and the tensors fill the data without gap or overlap
 * (Qwen2.5-VL §2).
 *
 * @param entries by name, in the order of the header
 * @param metadata what the writer says of the file; only its texts
 */
record SafetensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
  private static final String METADATA = "__metadata__";

  /**
   * @param begin bytes from the start of the data
   */
  record Entry(String name, StoredType type, List<Long> shape, long begin, long end) {}

  /**
   * @param json the header
   * @param dataBytes bytes of the file behind the header
   * @param source for messages
   * @throws BadModelException naming every problem
   */
  static SafetensorsHeader parse(byte[] json, long dataBytes, String source) {
    ObjectNode header = JsonFile.parse(json, source + ", header");
    Problems problems = new Problems();
    Map<String, Entry> entries = new LinkedHashMap<>();
    header
        .properties()
        .forEach(
            field -> {
              if (!field.getKey().equals(METADATA)) {
                entry(field.getKey(), field.getValue(), problems)
                    .ifPresent(entry -> entries.put(entry.name(), entry));
              }
            });
    if (!problems.any()) {
      checkLayout(entries, dataBytes, problems);
    }
    problems.throwIfAny(source, "The file is damaged or was cut; download it again.");
    return new SafetensorsHeader(entries, metadata(header));
  }

  private static Map<String, String> metadata(ObjectNode header) {
    Map<String, String> metadata = new LinkedHashMap<>();
    header
        .path(METADATA)
        .properties()
        .forEach(
            field -> {
              if (field.getValue().isTextual()) {
                metadata.put(field.getKey(), field.getValue().textValue());
              }
            });
    return metadata;
  }

  private static Optional<Entry> entry(String name, JsonNode node, Problems problems) {
    Optional<StoredType> type = StoredType.of(node.path("dtype").asText());
    List<Long> shape = numbers(node.path("shape"));
    List<Long> offsets = numbers(node.path("data_offsets"));
    if (type.isEmpty()) {
      problems.add(
          "%s has dtype %s, expected one of %s"
              .formatted(name, node.path("dtype"), List.of(StoredType.values())));
    } else if (!node.path("shape").isArray() || shape.size() != node.path("shape").size()) {
      problems.add(
          "%s has shape %s, expected whole numbers from 0".formatted(name, node.path("shape")));
    } else if (offsets.size() != 2
        || node.path("data_offsets").size() != 2
        || offsets.get(0) > offsets.get(1)) {
      problems.add(
          "%s has data_offsets %s, expected [begin, end) from 0"
              .formatted(name, node.path("data_offsets")));
    } else {
      Entry entry = new Entry(name, type.get(), shape, offsets.get(0), offsets.get(1));
      long length = entry.end() - entry.begin();
      if (!isLength(entry, length)) {
        problems.add(
            "%s has %d bytes of data, which is not the size of %s %s"
                .formatted(name, length, type.get(), shape));
        return Optional.empty();
      }
      return Optional.of(entry);
    }
    return Optional.empty();
  }

  private static void checkLayout(Map<String, Entry> entries, long dataBytes, Problems problems) {
    List<Entry> byPlace = new ArrayList<>(entries.values());
    byPlace.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long filled = 0;
    for (Entry entry : byPlace) {
      if (entry.begin() != filled) {
        problems.add(
            "%s begins at byte %d, expected %d: tensors %s"
                .formatted(
                    entry.name(),
                    entry.begin(),
                    filled,
                    entry.begin() < filled ? "overlap" : "leave a gap"));
      }
      filled = Math.max(filled, entry.end());
    }
    if (filled != dataBytes) {
      problems.add(
          "the header describes %d bytes of data, the file has %d".formatted(filled, dataBytes));
    }
  }

  private static boolean isLength(Entry entry, long length) {
    try {
      return elements(entry.shape(), entry.type().sizeBytes()) == length;
    } catch (ArithmeticException overflow) {
      return false;
    }
  }

  private static long elements(List<Long> shape, long each) {
    return shape.contains(0L) ? 0 : shape.stream().reduce(each, Math::multiplyExact);
  }

  /** The numbers of a list up to the first thing that is not a whole number from 0. */
  private static List<Long> numbers(JsonNode list) {
    List<Long> numbers = new ArrayList<>();
    for (JsonNode node : list) {
      if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
        break;
      }
      numbers.add(node.longValue());
    }
    return List.copyOf(numbers);
  }
}
