// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads JSON strictly: one object, no duplicate keys, nothing behind it, a bounded size. */
final class JsonFile {
  /** The largest published file of the kind, a tokenizer, has 7 MB (Qwen2.5-VL §13.3). */
  private static final long MAX_BYTES = 64L << 20;

  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private JsonFile() {}

  /**
   * A file of a model folder.
   *
   * @throws BadModelException if the file is missing, too large, or not one JSON object
   */
  static ObjectNode read(Path file) {
    return read(file, MAX_BYTES, "a model folder needs it. Was the download complete?");
  }

  /**
   * @param most bytes that such a file has
   * @param missing what to say when it does not exist
   * @throws BadModelException if the file is missing, too large, or not one JSON object
   */
  static ObjectNode read(Path file, long most, String missing) {
    try {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new BadModelException(
            "%s is not a file; expected one that holds JSON. Was the download complete?"
                .formatted(file)); // a pipe would be waited for, for ever
      }
      long size = Files.size(file);
      if (size > most) {
        throw new BadModelException(
            "%s has %d bytes; a file of this kind has at most %d. Is it the right file?"
                .formatted(file, size, most));
      }
      return parse(Files.readAllBytes(file), file.toString());
    } catch (NoSuchFileException e) {
      throw new BadModelException("%s does not exist; %s".formatted(file, missing), e);
    } catch (IOException e) {
      throw new BadModelException(
          "%s cannot be read (%s); check that the file is readable.".formatted(file, e), e);
    }
  }

  /**
   * @param source for messages
   */
  static ObjectNode parse(byte[] json, String source) {
    JsonNode node;
    try {
      node = MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new BadModelException(
          "%s is not valid JSON (%s); expected one JSON object. Was the file cut or edited?"
              .formatted(source, firstLine(e)),
          e);
    } catch (IOException e) {
      throw new BadModelException("%s cannot be read (%s).".formatted(source, e), e);
    }
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw new BadModelException(
        "%s holds %s; expected one JSON object. Was the file cut or edited?"
            .formatted(source, node == null ? "nothing" : node.getNodeType()));
  }

  /** For people too: indented, a line break at the end. */
  static byte[] write(ObjectNode root) {
    try {
      String text = MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(root);
      return (text + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of nodes can always be written", e);
    }
  }

  private static String firstLine(JsonProcessingException e) {
    String where =
        e.getLocation() == null
            ? ""
            : " at line %d, column %d"
                .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
    return e.getOriginalMessage().lines().findFirst().orElse("") + where;
  }
}
