// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.everwatch.job.config.ConfigException;
import io.everwatch.job.config.Nearest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Many cameras from one YAML file: {@code cameras}, a list with the keys of {@link CameraKeys}, and
 * {@code defaults} for what each of them does not say. {@code ${NAME}} stands for a variable of the
 * environment.
 */
public final class CameraFile {
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]*)}");
  private static final int MAX_CAMERAS = 10_000;

  private final String name;
  private final Function<String, @Nullable String> environment;
  private final List<String> problems = new ArrayList<>();

  /** A block of keys and where it begins. */
  private record Block(int line, Map<String, Given> values) {}

  private CameraFile(String name, Function<String, @Nullable String> environment) {
    this.name = name;
    this.environment = environment;
  }

  /**
   * Reads and checks.
   *
   * @param environment value of a variable, null when there is none
   * @throws ConfigException naming every problem, with its line, and no credential
   * @throws IOException when the file cannot be read
   */
  public static List<CameraSettings> read(Path file, Function<String, @Nullable String> environment)
      throws IOException {
    CameraFile reader = new CameraFile(String.valueOf(file.getFileName()), environment);
    List<CameraSettings> cameras = List.of();
    try (JsonParser yaml = new YAMLFactory().createParser(Files.readString(file))) {
      cameras = reader.cameras(yaml);
    } catch (JacksonException e) {
      reader.problems.add(
          "%s, line %d is not YAML: %s"
              .formatted(
                  reader.name,
                  e.getLocation() == null ? 0 : e.getLocation().getLineNr(),
                  // what follows quotes the file, where a password may stand
                  e.getOriginalMessage().lines().findFirst().orElse("")));
    }
    if (!reader.problems.isEmpty()) {
      throw new ConfigException(reader.problems.stream().distinct().toList());
    }
    return cameras;
  }

  private List<CameraSettings> cameras(JsonParser yaml) throws IOException {
    Map<String, Given> defaults = Map.of();
    List<Block> blocks = new ArrayList<>();
    if (yaml.nextToken() != JsonToken.START_OBJECT) {
      problems.add(name + " must hold 'cameras:' with a list; see docs/cameras.md");
      return List.of();
    }
    while (yaml.nextToken() == JsonToken.FIELD_NAME) {
      String key = yaml.currentName();
      int line = line(yaml);
      JsonToken value = yaml.nextToken();
      if (key.equals("defaults") && value == JsonToken.START_OBJECT) {
        defaults = block(yaml).values();
        refuseInDefaults(defaults);
      } else if (key.equals("cameras") && value == JsonToken.START_ARRAY) {
        blocks(yaml, blocks);
      } else {
        problems.add(
            "%s, line %d: '%s' is out of place; expected defaults: with keys below it, and cameras: with a list"
                .formatted(name, line, key));
        yaml.skipChildren();
      }
    }
    if (blocks.isEmpty() && problems.isEmpty()) {
      problems.add(name + " names no camera; expected 'cameras:' with a list");
    }
    return settings(blocks, defaults);
  }

  private void blocks(JsonParser yaml, List<Block> blocks) throws IOException {
    while (yaml.nextToken() != JsonToken.END_ARRAY) {
      if (yaml.currentToken() == JsonToken.START_OBJECT && blocks.size() < MAX_CAMERAS) {
        blocks.add(block(yaml));
      } else {
        problems.add(
            "%s, line %d: expected a camera: '- stream: …' and 'input: …', %d cameras at most"
                .formatted(name, line(yaml), MAX_CAMERAS));
        yaml.skipChildren();
      }
    }
  }

  private Block block(JsonParser yaml) throws IOException {
    int begin = line(yaml);
    Map<String, Given> values = new LinkedHashMap<>();
    while (yaml.nextToken() == JsonToken.FIELD_NAME) {
      String key = yaml.currentName();
      String where = "%s, line %d: %s".formatted(name, line(yaml), key);
      yaml.nextToken();
      Optional<List<String>> texts = texts(yaml, key, where);
      if (!CameraKeys.ALL.contains(key)) {
        problems.add(
            "%s: there is no such key; did you mean '%s'?"
                .formatted(where, Nearest.to(key, CameraKeys.ALL)));
      } else if (texts.isPresent() && values.put(key, new Given(texts.get(), where)) != null) {
        problems.add(where + ": it stands twice");
      }
    }
    return new Block(begin, values);
  }

  private Optional<List<String>> texts(JsonParser yaml, String key, String where)
      throws IOException {
    if (yaml.currentToken().isScalarValue()) {
      return Optional.of(List.of(expanded(text(yaml), where)));
    }
    List<String> texts = new ArrayList<>();
    boolean flat = yaml.currentToken() == JsonToken.START_ARRAY && key.equals("masks");
    if (!flat) {
      problems.add(where + ": expected one value");
      yaml.skipChildren();
      return Optional.empty();
    }
    while (yaml.nextToken() != JsonToken.END_ARRAY) {
      if (yaml.currentToken().isScalarValue()) {
        texts.add(expanded(text(yaml), where));
      } else {
        problems.add(where + ": expected texts such as '0,0,0.25x0.1'");
        yaml.skipChildren();
      }
    }
    return Optional.of(texts);
  }

  private static String text(JsonParser yaml) throws IOException {
    return yaml.currentToken() == JsonToken.VALUE_NULL ? "" : yaml.getText();
  }

  private String expanded(String text, String where) {
    Matcher variables = VARIABLE.matcher(text);
    StringBuilder expanded = new StringBuilder();
    while (variables.find()) {
      String value = environment.apply(variables.group(1));
      if (value == null) {
        problems.add(
            "%s: the environment has no %s; set it before the command"
                .formatted(where, variables.group(1)));
        value = "missing";
      }
      variables.appendReplacement(expanded, Matcher.quoteReplacement(value));
    }
    return variables.appendTail(expanded).toString();
  }

  private void refuseInDefaults(Map<String, Given> defaults) {
    for (String key : List.of("stream", "input")) {
      Given given = defaults.remove(key);
      if (given != null) {
        problems.add(given.where() + ": it belongs to each camera, not to defaults");
      }
    }
  }

  private List<CameraSettings> settings(List<Block> blocks, Map<String, Given> defaults) {
    List<CameraSettings> cameras = new ArrayList<>();
    Map<String, Integer> lines = new HashMap<>();
    for (Block block : blocks) {
      String where = "%s, line %d".formatted(name, block.line());
      CameraKeys.read(block.values(), defaults, where, problems).ifPresent(cameras::add);
      Given stream = block.values().get("stream");
      if (stream != null) {
        Integer before = lines.put(stream.texts().get(0), block.line());
        if (before != null) {
          problems.add(
              "%s: '%s' is the stream of line %d as well; a stream has one camera"
                  .formatted(stream.where(), stream.texts().get(0), before));
        }
      }
      if (block.values().containsKey("input")
          && block.values().get("input").texts().contains(CameraAddress.STANDARD_INPUT)) {
        problems.add(where + ": standard input is for --input, not for a file of cameras");
      }
    }
    return cameras;
  }

  private static int line(JsonParser yaml) {
    return yaml.currentTokenLocation().getLineNr();
  }
}
