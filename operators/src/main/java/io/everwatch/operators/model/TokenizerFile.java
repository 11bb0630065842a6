// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code tokenizer.json}: byte-level BPE with NFC and the published regular expression, and nothing
 * else; a file that asks for other steps is refused, because it would be read wrongly (Qwen2.5-VL
 * §13).
 */
final class TokenizerFile {
  /** What {@link PieceScanner} does. */
  static final String PATTERN =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  /** Far above any vocabulary; bounds the memory that a damaged id could ask for. */
  private static final int MAX_ID = 10_000_000;

  private final Problems problems = new Problems();
  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<Integer, byte[]> bytes = new HashMap<>();
  private final List<AddedToken> added = new ArrayList<>();

  private TokenizerFile() {}

  /**
   * @throws BadModelException naming every problem
   */
  static Tokenizer read(Path file) {
    return new TokenizerFile().parse(JsonFile.read(file), file.toString());
  }

  private Tokenizer parse(ObjectNode root, String source) {
    checkSteps(root);
    JsonNode model = root.path("model");
    checkModel(model);
    readVocabulary(model.path("vocab"));
    readAdded(root.path("added_tokens"));
    int[] byteTokens = byteTokens();
    MergeTable merges = readMerges(model.path("merges"));
    problems.throwIfAny(
        source,
        "Expected the tokenizer.json of a Qwen2.5-VL checkpoint; take it from its publisher.");
    return new Tokenizer(new BytePairEncoder(byteTokens, merges), table(), added);
  }

  private void checkSteps(ObjectNode root) {
    expect("normalizer.type", root.path("normalizer").path("type"), "NFC");
    JsonNode steps = root.path("pre_tokenizer").path("pretokenizers");
    expect("pre_tokenizer.type", root.path("pre_tokenizer").path("type"), "Sequence");
    if (steps.size() != 2) {
      problems.add(
          "pre_tokenizer has %d steps, expected Split and ByteLevel".formatted(steps.size()));
      return;
    }
    JsonNode split = steps.get(0);
    expect("pre_tokenizer[0].type", split.path("type"), "Split");
    expect("pre_tokenizer[0].pattern", split.path("pattern").path("Regex"), PATTERN);
    expect("pre_tokenizer[0].behavior", split.path("behavior"), "Isolated");
    JsonNode byteLevel = steps.get(1);
    expect("pre_tokenizer[1].type", byteLevel.path("type"), "ByteLevel");
    expectNot("pre_tokenizer[0].invert", split.path("invert"));
    expectNot("pre_tokenizer[1].add_prefix_space", byteLevel.path("add_prefix_space"));
    expectNot("pre_tokenizer[1].use_regex", byteLevel.path("use_regex"));
    expect("decoder.type", root.path("decoder").path("type"), "ByteLevel");
    JsonNode last = root.path("post_processor");
    if (!last.isMissingNode() && !last.isNull()) {
      expect("post_processor.type", last.path("type"), "ByteLevel"); // another would add tokens
    }
  }

  private void checkModel(JsonNode model) {
    expect("model.type", model.path("type"), "BPE");
    for (String option : List.of("fuse_unk", "byte_fallback", "ignore_merges")) {
      expectNot("model." + option, model.path(option));
    }
    for (String option : List.of("continuing_subword_prefix", "end_of_word_suffix", "dropout")) {
      JsonNode value = model.path(option);
      if (!value.isMissingNode() && !value.isNull() && !value.asText().isEmpty()) {
        problems.add("model.%s is %s, expected none".formatted(option, value));
      }
    }
  }

  private void readVocabulary(JsonNode vocabulary) {
    vocabulary
        .properties()
        .forEach(
            field -> {
              Optional<byte[]> spelled = ByteAlphabet.bytes(field.getKey());
              if (spelled.isEmpty()) {
                problems.add("token %s is not made of byte characters".formatted(field.getKey()));
              } else {
                register(field.getKey(), field.getValue(), spelled.get());
              }
            });
  }

  private void readAdded(JsonNode tokens) {
    for (JsonNode token : tokens) {
      String content = token.path("content").asText();
      for (String option : List.of("lstrip", "rstrip", "single_word", "normalized")) {
        expectNot("added token %s, %s".formatted(content, option), token.path(option));
      }
      if (content.isEmpty()) {
        problems.add("added token %s has no content".formatted(token));
      } else if (register(content, token.path("id"), content.getBytes(StandardCharsets.UTF_8))) {
        added.add(
            new AddedToken(
                token.path("id").intValue(), content, token.path("special").asBoolean()));
      }
    }
  }

  private boolean register(String token, JsonNode id, byte[] spelled) {
    if (!id.isIntegralNumber()
        || !id.canConvertToInt()
        || id.intValue() < 0
        || id.intValue() > MAX_ID) {
      problems.add(
          "token %s has the id %s, expected a number from 0 to %d".formatted(token, id, MAX_ID));
      return false;
    }
    if (ids.putIfAbsent(token, id.intValue()) != null) {
      problems.add("token %s is there twice".formatted(token));
      return false;
    }
    if (bytes.putIfAbsent(id.intValue(), spelled) != null) {
      problems.add("token %s has the id %s of another token".formatted(token, id));
      return false;
    }
    return true;
  }

  private int[] byteTokens() {
    int[] tokens = new int[256];
    for (int b = 0; b < 256; b++) {
      Integer id = ids.get(ByteAlphabet.character(b));
      if (id == null) {
        problems.add("byte %d has no token".formatted(b));
      } else {
        tokens[b] = id;
      }
    }
    return tokens;
  }

  /** Merges are strings {@code "a b"} in older files and pairs in newer ones. */
  private MergeTable readMerges(JsonNode list) {
    MergeTable merges = new MergeTable(list.size());
    int rank = 0;
    for (JsonNode merge : list) {
      String[] parts =
          merge.isTextual()
              ? merge.textValue().split(" ", -1)
              : new String[] {merge.path(0).asText(), merge.path(1).asText()};
      Integer left = parts.length == 2 ? ids.get(parts[0]) : null;
      Integer right = parts.length == 2 ? ids.get(parts[1]) : null;
      Integer result = parts.length == 2 ? ids.get(parts[0] + parts[1]) : null;
      if (left == null || right == null || result == null) {
        problems.add("merge %d, %s, does not join two tokens to a third".formatted(rank, merge));
      } else if (!merges.add(left, right, rank, result)) {
        problems.add("merge %d, %s, is there twice".formatted(rank, merge));
      }
      rank++;
    }
    return merges;
  }

  /** Bytes by id; empty where an id belongs to no token. */
  private byte[][] table() {
    int size = bytes.keySet().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
    byte[][] table = new byte[size][];
    Arrays.fill(table, new byte[0]);
    bytes.forEach((id, spelled) -> table[id] = spelled);
    return table;
  }

  private void expect(String name, JsonNode value, String expected) {
    if (!expected.equals(value.asText())) {
      problems.add(
          "%s is %s, expected %s"
              .formatted(name, value.isMissingNode() ? "missing" : value, expected));
    }
  }

  private void expectNot(String name, JsonNode value) {
    if (value.asBoolean(false)) {
      problems.add("%s is set, expected not".formatted(name));
    }
  }
}
