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
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir Path folder;

  @Test
  void readsThePublishedForm() {
    ModelConfig config = ModelConfig.read(ModelFolder.open(GoldenFolder.TINY_A));

    assertThat(config)
        .isEqualTo(
            new ModelConfig(
                new TextConfig(128, 3, 4, 2, 200, 512, 128000, 1e-6f, 1e6, List.of(4, 6, 6), false),
                new VisionConfig(4, 64, 2, 108, 3, 128, 14, 2, 2, 112, List.of(1, 3), 2),
                new ModelTokens(495, 496, 498, 499, List.of(488))));
    assertThat(config.text().headDim()).isEqualTo(32);
    assertThat(config.text().kvSize()).isEqualTo(64);
    assertThat(config.vision().patchWidth()).isEqualTo(1176);
    assertThat(config.vision().mergedSize()).isEqualTo(256);
    assertThat(config.vision().windowGroups()).isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource({
    "tiny_a,tiny_a_config_4_57.json",
    "tiny_a,tiny_a_config_5.json",
    "tiny_b,tiny_b_config_4_57.json",
    "tiny_b,tiny_b_config_5.json"
  })
  void readsEveryFormToTheSameSettings(String checkpoint, String other) {
    assertThat(ModelConfig.read(GoldenFolder.QWEN.resolve("configs").resolve(other)))
        .isEqualTo(ModelConfig.read(ModelFolder.open(GoldenFolder.QWEN.resolve(checkpoint))));
  }

  @ParameterizedTest
  @CsvSource({
    "num_hidden_layers,2147483647",
    "hidden_size,1000000000",
    "num_key_value_heads,1000000",
    "vocab_size,2000000000"
  })
  void refusesSizesThatNoModelHas(String field, int value) {
    assertThatThrownBy(() -> edited(GoldenFolder.TINY_A, c -> c.put(field, value)))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining(
            "%s is %d, expected a whole number from 1 to".formatted(field, value));
  }

  @Test
  void refusesPatchesWhoseAreaLeavesAnInt() {
    assertThatThrownBy(
            () ->
                edited(
                    GoldenFolder.TINY_A,
                    c ->
                        ((ObjectNode) c.get("vision_config"))
                            .put("patch_size", 65536)
                            .put("spatial_merge_size", 65536)))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("vision_config.patch_size is 65536, expected");
  }

  @Test
  void showsTheBeginningOfAValueThatIsAMillionNumbers() {
    assertThatThrownBy(
            () ->
                edited(
                    GoldenFolder.TINY_A,
                    c -> {
                      ArrayNode many = c.putArray("hidden_size");
                      for (int i = 0; i < 1_000_000; i++) {
                        many.add(i);
                      }
                    }))
        .isInstanceOf(BadModelException.class)
        .message()
        .contains("hidden_size is [0,1,2")
        .hasSizeLessThan(5_000);
  }

  @Test
  void readsTheTieFlagAtEitherLevel() throws IOException {
    assertThat(edited(GoldenFolder.TINY_B, c -> c.put("tie_word_embeddings", false)).text())
        .extracting(TextConfig::tieWordEmbeddings)
        .isEqualTo(true);
    assertThat(
            edited(
                    GoldenFolder.TINY_B,
                    c -> ((ObjectNode) c.get("text_config")).put("tie_word_embeddings", false))
                .text())
        .extracting(TextConfig::tieWordEmbeddings)
        .isEqualTo(true);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model_type",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "intermediate_size",
        "vocab_size",
        "max_position_embeddings",
        "rms_norm_eps",
        "rope_theta",
        "rope_scaling",
        "hidden_act",
        "vision_config",
        "vision_start_token_id",
        "vision_end_token_id",
        "image_token_id",
        "video_token_id",
        "eos_token_id"
      })
  void takesNoDefaultForAMissingField(String field) {
    assertThatThrownBy(() -> edited(GoldenFolder.TINY_A, config -> config.remove(field)))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining(field + " is missing");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "depth",
        "hidden_size",
        "num_heads",
        "intermediate_size",
        "in_chans",
        "out_hidden_size",
        "patch_size",
        "temporal_patch_size",
        "spatial_merge_size",
        "window_size",
        "fullatt_block_indexes",
        "tokens_per_second",
        "hidden_act"
      })
  void takesNoDefaultForAMissingFieldOfTheTower(String field) {
    assertThatThrownBy(
            () ->
                edited(
                    GoldenFolder.TINY_A,
                    config -> ((ObjectNode) config.get("vision_config")).remove(field)))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("vision_config." + field + " is missing");
  }

  static Stream<Arguments> contradictions() {
    return Stream.of(
        Arguments.of("model_type is llama", edit(c -> c.put("model_type", "llama"))),
        Arguments.of(
            "rope_scaling.type is \"yarn\"",
            edit(c -> ((ObjectNode) c.get("rope_scaling")).put("type", "yarn"))),
        Arguments.of(
            "rope_scaling.rope_type is \"linear\"",
            edit(c -> ((ObjectNode) c.get("rope_scaling")).put("rope_type", "linear"))),
        Arguments.of(
            "rope_scaling.type is missing",
            edit(c -> ((ObjectNode) c.get("rope_scaling")).remove("type"))),
        Arguments.of(
            "mrope_section is [4, 6]",
            edit(
                c ->
                    ((ObjectNode) c.get("rope_scaling"))
                        .set("mrope_section", MAPPER.valueToTree(List.of(4, 6))))),
        Arguments.of(
            "mrope_section is [4, 6, 7]",
            edit(
                c ->
                    ((ObjectNode) c.get("rope_scaling"))
                        .set("mrope_section", MAPPER.valueToTree(List.of(4, 6, 7))))),
        Arguments.of("hidden_act is gelu", edit(c -> c.put("hidden_act", "gelu"))),
        Arguments.of("use_sliding_window is true", edit(c -> c.put("use_sliding_window", true))),
        Arguments.of("head_dim is 64", edit(c -> c.put("head_dim", 64))),
        Arguments.of("hidden_size is 130", edit(c -> c.put("hidden_size", 130))),
        Arguments.of("num_attention_heads is 4", edit(c -> c.put("num_key_value_heads", 3))),
        Arguments.of("hidden_size is -1", edit(c -> c.put("hidden_size", -1))),
        Arguments.of("hidden_size is \"128\"", edit(c -> c.put("hidden_size", "128"))),
        Arguments.of("vocab_size is 512.5", edit(c -> c.put("vocab_size", 512.5))),
        Arguments.of("video_token_id is 512", edit(c -> c.put("video_token_id", 512))),
        Arguments.of("rms_norm_eps is 0", edit(c -> c.put("rms_norm_eps", 0))),
        Arguments.of(
            "names block 4 of 4", editVision(v -> v.withArray("fullatt_block_indexes").add(4))),
        Arguments.of("window_size is 100", editVision(v -> v.put("window_size", 100))),
        Arguments.of("out_hidden_size is 64", editVision(v -> v.put("out_hidden_size", 64))),
        Arguments.of("contradict each other: [3, 1]", editVision(v -> v.put("in_channels", 1))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("contradictions")
  void namesWhatDoesNotFit(String message, Consumer<ObjectNode> edit) {
    assertThatThrownBy(() -> edited(GoldenFolder.TINY_A, edit))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("config.json");
  }

  @Test
  void namesAllProblemsInOneMessage() {
    assertThatThrownBy(
            () ->
                edited(
                    GoldenFolder.TINY_A,
                    c -> {
                      c.remove("hidden_size");
                      c.put("vocab_size", "many");
                      ((ObjectNode) c.get("vision_config")).remove("tokens_per_second");
                    }))
        .hasMessageContaining("3 problems")
        .hasMessageContaining("hidden_size is missing")
        .hasMessageContaining("vocab_size is \"many\"")
        .hasMessageContaining("vision_config.tokens_per_second is missing");
  }

  @Test
  void saysWhereTheJsonIsBroken() throws IOException {
    Path file = Files.writeString(folder.resolve("config.json"), "{\n \"hidden_size\": }");

    assertThatThrownBy(() -> ModelConfig.read(file))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("is not valid JSON")
        .hasMessageContaining("line 2");
  }

  private static Consumer<ObjectNode> edit(Consumer<ObjectNode> edit) {
    return edit;
  }

  private static Consumer<ObjectNode> editVision(Consumer<ObjectNode> edit) {
    return config -> edit.accept((ObjectNode) config.get("vision_config"));
  }

  private ModelConfig edited(Path checkpoint, Consumer<ObjectNode> edit) throws IOException {
    ObjectNode config = (ObjectNode) MAPPER.readTree(checkpoint.resolve("config.json").toFile());
    edit.accept(config);
    Path file = Files.writeString(folder.resolve("config.json"), config.toString());
    return ModelConfig.read(file);
  }
}
