// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.everwatch.kernels.TensorSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RandomWeightsTest {
  /** Pinned: another value would be another model under the same name. */
  private static final float FIRST_GATE = -0.09356212f;

  /** Counts of the specification (Qwen2.5-VL §4, §12.1). */
  @ParameterizedTest
  @CsvSource({
    "random:qwen2.5-vl-3b, 824, 3754622976",
    "random:qwen2.5-vl-7b, 729, 8292166656",
  })
  void haveTheTensorsOfThePublishedModel(String name, int tensors, long parameters) {
    ModelFolder folder = ModelFolder.open(name);
    Weights weights = Weights.open(folder, ModelConfig.read(folder));
    assertThat(weights.names()).hasSize(tensors);
    assertThat(weights.names().stream().mapToLong(n -> weights.get(n).elements()).sum())
        .isEqualTo(parameters);
    Tokenizer tokenizer = Tokenizer.open(folder);
    assertThat(ChatGrammar.open(folder, ModelConfig.read(folder), tokenizer).stops()).isNotEmpty();
  }

  @Test
  void areTheSameInEveryProcessAndDifferFromTensorToTensor() {
    ModelFolder folder = ModelFolder.open("random:qwen2.5-vl-tiny");
    Weights weights = Weights.open(folder, ModelConfig.read(folder));
    float[] gate = head(weights.get("model.layers.0.mlp.gate_proj.weight"));
    float[] up = head(weights.get("model.layers.0.mlp.up_proj.weight"));
    assertThat(gate).isNotEqualTo(up);
    assertThat(gate[0]).isEqualTo(FIRST_GATE);
    double squares = 0;
    for (float value : gate) {
      squares += value * value;
    }
    assertThat(Math.sqrt(squares / gate.length * 256)).isCloseTo(1, within(0.05));
  }

  @Test
  void areNamedByTheDigest() {
    String tiny = ModelFolder.open("random:qwen2.5-vl-tiny").digest();
    assertThat(tiny).isEqualTo(ModelFolder.open("random:qwen2.5-vl-tiny").digest());
    assertThat(tiny).isNotEqualTo(ModelFolder.open("random:qwen2.5-vl-3b").digest());
  }

  private static float[] head(TensorSource tensor) {
    float[] values = new float[4096];
    tensor.read(0, values, 0, values.length);
    return values;
  }
}
