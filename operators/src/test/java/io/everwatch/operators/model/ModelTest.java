// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelTest {
  @TempDir Path directory;

  @Test
  void tellsHowFarLoadingIs() {
    List<String> heard = new ArrayList<>();
    try (Backend cpu = Backends.open("cpu", new BackendOptions(1, true))) {
      Model.load(
          ModelFolder.open(GoldenFolder.TINY_A),
          cpu,
          (done, total) -> heard.add(done + "/" + total));
    }

    assertThat(heard).containsExactly("1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7");
  }

  @Test
  void readsPixelStatisticsFromEitherFile() throws IOException {
    Path folder = GoldenFolder.copy(GoldenFolder.TINY_A, directory.resolve("model"));
    VisionConfig vision = ModelConfig.read(ModelFolder.open(folder)).vision();
    PixelStatistics older = PixelStatistics.read(ModelFolder.open(folder), vision);
    Files.delete(folder.resolve("preprocessor_config.json"));
    PixelStatistics published = PixelStatistics.read(ModelFolder.open(folder), vision);
    String newer =
        Files.readString(GoldenFolder.QWEN.resolve("configs/tiny_a_processor_config_5.json"));
    Files.writeString(folder.resolve("processor_config.json"), newer.replace("0.26862954", "0.5"));

    assertThat(older).usingRecursiveComparison().isEqualTo(published);
    assertThat(PixelStatistics.read(ModelFolder.open(folder), vision).std())
        .containsExactly(0.5f, 0.2613026f, 0.2757771f);
  }

  @Test
  void namesEverythingWrongWithThePreprocessorFile() throws IOException {
    Path folder = GoldenFolder.copy(GoldenFolder.TINY_A, directory.resolve("model"));
    VisionConfig vision = ModelConfig.read(ModelFolder.open(folder)).vision();
    Files.writeString(
        folder.resolve("preprocessor_config.json"),
        "{\"patch_size\": 16, \"image_mean\": [0.5, 0.5], \"image_std\": [0.5, 0, 0.5]}");

    assertThatThrownBy(() -> PixelStatistics.read(ModelFolder.open(folder), vision))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("patch_size is 16, config.json says 14")
        .hasMessageContaining("image_mean is [0.5,0.5]")
        .hasMessageContaining("image_std is [0.5,0,0.5]");
  }
}
