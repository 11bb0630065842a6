// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.kernels.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightsTest {
  private static final String NORM = "model.norm.weight";

  @TempDir Path temp;

  @Test
  void findsAllTensorsOfOneFileWithPublishedNames() {
    Weights weights = open(GoldenFolder.TINY_A);

    // 12 per layer, 12 per block, 6 of patch embedding and merger, 2, and the head (§4).
    assertThat(weights.names()).hasSize(3 * 12 + 4 * 12 + 6 + 2 + 1);
    assertThat(weights.get("model.layers.2.self_attn.k_proj.weight").shape())
        .containsExactly(64L, 128L);
    assertThat(weights.outputHead().name()).isEqualTo("lm_head.weight");
  }

  @Test
  void findsAllTensorsOfThreeFilesWithNewerNames() {
    Weights weights = open(GoldenFolder.TINY_B);

    assertThat(weights.names()).hasSize(2 * 12 + 2 * 12 + 6 + 2);
    TensorSource patches = weights.get("visual.patch_embed.proj.weight");
    assertThat(patches.name()).isEqualTo("model.visual.patch_embed.proj.weight");
    assertThat(patches.shape()).containsExactly(80L, 3L, 2L, 14L, 14L);
    assertThat(weights.outputHead().name()).isEqualTo("model.language_model.embed_tokens.weight");
  }

  @Test
  void countsTheTensorsOfThePublishedSevenB() {
    ModelConfig published =
        new ModelConfig(
            new TextConfig(
                3584, 28, 28, 4, 18944, 152064, 128000, 1e-6f, 1e6, List.of(16, 24, 24), false),
            new VisionConfig(32, 1280, 16, 3420, 3, 3584, 14, 2, 2, 112, List.of(7, 15, 23, 31), 2),
            new ModelTokens(151652, 151653, 151655, 151656, List.of(151645)));

    var shapes = WeightShapes.of(published);

    assertThat(shapes).hasSize(729);
    assertThat(
            shapes.values().stream().mapToLong(s -> s.stream().reduce(1L, (a, b) -> a * b)).sum())
        .isEqualTo(8_292_166_656L); // §12.1
  }

  @Test
  void opensTheShippedModel() {
    ModelFolder folder = ModelFolder.open("everwatch-tiny");

    assertThat(Weights.open(folder, ModelConfig.read(folder)).names()).hasSize(4 * 12 + 4 * 12 + 8);
  }

  @Test
  void namesUnknownMissingAndMisshapenTensorsInOneMessage() throws IOException {
    Path model = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("m"));
    Path file = model.resolve("model.safetensors");
    SafetensorsFile.rename(file, NORM, "model.norm.gain");
    SafetensorsFile.reshape(file, "model.layers.0.mlp.up_proj.weight", List.of(128L, 200L));

    assertThatThrownBy(() -> open(model))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("3 problems")
        .hasMessageContaining("model.norm.weight [128] is missing")
        .hasMessageContaining("model.norm.gain [128] is unknown")
        .hasMessageContaining(
            "model.layers.0.mlp.up_proj.weight has shape [128, 200], expected [200, 128]");
  }

  @Test
  void refusesWeightsThatAreIntegers() throws IOException {
    Path model = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("m"));
    SafetensorsFile.editHeader(
        model.resolve("model.safetensors"),
        header -> ((ObjectNode) header.get(NORM)).put("dtype", "I16"));

    assertThatThrownBy(() -> open(model))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("model.norm.weight holds I16");
  }

  @Test
  void refusesTwoTensorsThatMeanTheSame() throws IOException {
    Path model = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("m"));
    SafetensorsFile.rename(
        model.resolve("model.safetensors"),
        "model.layers.1.input_layernorm.weight",
        "model.language_model.norm.weight");

    assertThatThrownBy(() -> open(model))
        .hasMessageContaining("model.norm.weight is there twice")
        .hasMessageContaining("model.language_model.norm.weight")
        .hasMessageContaining("model.layers.1.input_layernorm.weight [128] is missing");
  }

  @Test
  void noticesAnIndexThatContradictsTheShards() throws IOException {
    Path model = GoldenFolder.copy(GoldenFolder.TINY_B, temp.resolve("m"));
    Path index = model.resolve("model.safetensors.index.json");
    String name = "model.visual.patch_embed.proj.weight";
    Files.writeString(
        index,
        Files.readString(index)
            .replace("\"" + name + "\": \"model-00001", "\"" + name + "\": \"model-00002"));

    assertThatThrownBy(() -> open(model))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining(name + " is in model-00002-of-00003.safetensors")
        .hasMessageContaining("but it is in model-00001-of-00003.safetensors");
  }

  @Test
  void usesTheEmbeddingWhenATiedCheckpointHasAHeadToo() throws IOException {
    Path model = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("m"));
    Path config = model.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"));

    Weights weights = open(model);

    assertThat(weights.outputHead().name()).isEqualTo("model.embed_tokens.weight");
    assertThat(weights.names()).doesNotContain("lm_head.weight");
  }

  @Test
  void neverRenamesTheHead() {
    assertThat(Weights.canonical("lm_head.weight")).isEqualTo("lm_head.weight");
    assertThat(Weights.canonical("model.language_model.norm.weight")).isEqualTo(NORM);
    assertThat(Weights.canonical("model.visual.merger.ln_q.weight"))
        .isEqualTo("visual.merger.ln_q.weight");
    assertThat(Weights.canonical(NORM)).isEqualTo(NORM);
  }

  @Test
  void saysWhichTensorsThereAreNot() {
    assertThatThrownBy(() -> open(GoldenFolder.TINY_A).get("model.layers.3.mlp.up_proj.weight"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("model.layers.3.mlp.up_proj.weight");
  }

  private static Weights open(Path directory) {
    ModelFolder folder = ModelFolder.open(directory);
    return Weights.open(folder, ModelConfig.read(folder));
  }
}
