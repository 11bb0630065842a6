// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.everwatch.job.config.EverwatchConfig.Entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Brings a YAML file and arguments into one flat form: dotted key, text, origin. */
final class ConfigSources {
  private static final JsonMapper YAML =
      JsonMapper.builder(new YAMLFactory())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private ConfigSources() {}

  static Map<String, Entry> yaml(Path file, List<String> problems) {
    Map<String, Entry> flat = new LinkedHashMap<>();
    try {
      JsonNode root = YAML.readTree(Files.readString(file));
      if (root.isObject()) {
        flatten("", root, String.valueOf(file.getFileName()), flat, problems);
      } else if (!root.isMissingNode() && !root.isNull()) {
        problems.add(file + " must hold 'key: value' lines; see docs/configuration.md");
      }
    } catch (JacksonException e) {
      problems.add(
          "%s, line %d is not YAML: %s"
              .formatted(
                  file,
                  e.getLocation() == null ? 0 : e.getLocation().getLineNr(),
                  // What follows quotes the file, where a password may stand.
                  e.getOriginalMessage().lines().findFirst().orElse("")));
    } catch (NoSuchFileException e) {
      problems.add("there is no file " + file);
    } catch (IOException e) {
      problems.add("%s cannot be read: %s".formatted(file, e.getMessage()));
    }
    return flat;
  }

  private static void flatten(
      String prefix, JsonNode node, String origin, Map<String, Entry> flat, List<String> problems) {
    node.properties()
        .forEach(
            field -> {
              String name = prefix + field.getKey();
              JsonNode value = field.getValue();
              if (value.isObject()) {
                flatten(name + ".", value, origin, flat, problems);
                return;
              }
              String text =
                  value.isArray()
                      ? StreamSupport.stream(value.spliterator(), false)
                          .map(JsonNode::asText)
                          .collect(Collectors.joining(","))
                      : value.isNull() ? "" : value.asText();
              if (flat.put(name, new Entry(text, origin)) != null) {
                problems.add("%s stands twice in %s".formatted(name, origin));
              }
            });
  }

  static Map<String, Entry> arguments(List<String> arguments, List<String> problems) {
    Map<String, Entry> flat = new LinkedHashMap<>();
    String last = "";
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (!argument.startsWith("--") || argument.length() == 2) {
        problems.add(
            "%s is out of place; expected --key value, with quotes around several words"
                .formatted(
                    EverwatchConfig.secret(last) // then it may be the rest of a password
                        ? "a word behind " + last
                        : "'" + argument + "'"));
        continue;
      }
      last = argument.replaceFirst("=.*", "");
      int equals = argument.indexOf('=');
      if (equals > 0) {
        put(argument.substring(2, equals), argument.substring(equals + 1), flat, problems);
      } else if (i + 1 == arguments.size() || arguments.get(i + 1).startsWith("--")) {
        problems.add("%s has no value; expected --key value".formatted(argument));
      } else {
        put(argument.substring(2), arguments.get(++i), flat, problems);
      }
    }
    return flat;
  }

  private static void put(
      String name, String value, Map<String, Entry> flat, List<String> problems) {
    if (flat.put(name, new Entry(value, "command line")) != null) {
      problems.add("--%s is given twice".formatted(name));
    }
  }
}
