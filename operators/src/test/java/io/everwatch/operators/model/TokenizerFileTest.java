// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TokenizerFileTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir Path folder;

  @Test
  void readsMergesAsStringsAndAsPairsAlike() throws IOException {
    Tokenizer pairs = TokenizerFile.read(GoldenFolder.TINY_A.resolve("tokenizer.json"));
    Tokenizer strings =
        edited(
            file -> {
              ArrayNode merges = MAPPER.createArrayNode();
              file.get("model")
                  .get("merges")
                  .forEach(m -> merges.add(m.get(0).asText() + " " + m.get(1).asText()));
              ((ObjectNode) file.get("model")).set("merges", merges);
            });

    String text = "A red car enters the north gate ... Time=12.0-13.0s";
    assertThat(strings.encode(text)).isEqualTo(pairs.encode(text));
  }

  @Test
  void readsTheShippedTokenizer() {
    Tokenizer tokenizer = Tokenizer.open(ModelFolder.open("everwatch-tiny"));

    assertThat(tokenizer.decode(tokenizer.encode(" A red bus number one enters."), true))
        .isEqualTo(" A red bus number one enters.");
    assertThat(tokenizer.added("<|video_pad|>")).hasValue(439);
  }

  static Stream<Arguments> faults() {
    return Stream.of(
        fault(
            "normalizer.type is \"NFKC\"",
            f -> ((ObjectNode) f.get("normalizer")).put("type", "NFKC")),
        fault("normalizer.type is missing", f -> f.putNull("normalizer")),
        fault("pre_tokenizer has 0 steps", f -> f.putNull("pre_tokenizer")),
        fault(
            "pre_tokenizer[0].pattern is",
            f ->
                ((ObjectNode) f.get("pre_tokenizer").get("pretokenizers").get(0).get("pattern"))
                    .put("Regex", "\\w+")),
        fault(
            "pre_tokenizer[1].add_prefix_space is set",
            f ->
                ((ObjectNode) f.get("pre_tokenizer").get("pretokenizers").get(1))
                    .put("add_prefix_space", true)),
        fault(
            "post_processor.type is \"TemplateProcessing\"",
            f -> ((ObjectNode) f.get("post_processor")).put("type", "TemplateProcessing")),
        fault("model.type is \"Unigram\"", f -> model(f).put("type", "Unigram")),
        fault("model.byte_fallback is set", f -> model(f).put("byte_fallback", true)),
        fault("model.ignore_merges is set", f -> model(f).put("ignore_merges", true)),
        fault("model.dropout is 0.1", f -> model(f).put("dropout", 0.1)),
        fault("byte 33 has no token", f -> ((ObjectNode) model(f).get("vocab")).remove("!")),
        fault(
            "is not made of byte characters",
            f -> ((ObjectNode) model(f).get("vocab")).put("日", 600)),
        fault(
            "has the id 0 of another token",
            f -> ((ObjectNode) model(f).get("vocab")).put("zq", 0)),
        fault("has the id -1", f -> ((ObjectNode) model(f).get("vocab")).put("zq", -1)),
        fault(
            "has the id 2000000000",
            f -> ((ObjectNode) model(f).get("vocab")).put("zq", 2_000_000_000)),
        fault(
            "does not join two tokens",
            f -> ((ArrayNode) model(f).get("merges")).addArray().add("q").add("z")),
        fault(
            "is there twice",
            f -> ((ArrayNode) model(f).get("merges")).add(model(f).get("merges").get(0))),
        fault(
            "added token <|endoftext|>, lstrip is set",
            f -> ((ObjectNode) f.get("added_tokens").get(0)).put("lstrip", true)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void refusesWhatItWouldReadWrongly(String message, Consumer<ObjectNode> edit) {
    assertThatThrownBy(() -> edited(edit))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("tokenizer.json")
        .hasMessageContaining(message);
  }

  private static Arguments fault(String message, Consumer<ObjectNode> edit) {
    return Arguments.of(message, edit);
  }

  private static ObjectNode model(ObjectNode file) {
    return (ObjectNode) file.get("model");
  }

  private Tokenizer edited(Consumer<ObjectNode> edit) throws IOException {
    ObjectNode file =
        (ObjectNode) MAPPER.readTree(GoldenFolder.TINY_A.resolve("tokenizer.json").toFile());
    edit.accept(file);
    return TokenizerFile.read(Files.writeString(folder.resolve("tokenizer.json"), file.toString()));
  }
}
