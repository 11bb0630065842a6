// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Names and shapes of all tensors of a checkpoint, as published (Qwen2.5-VL §4). */
final class WeightShapes {
  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String OUTPUT_HEAD = "lm_head.weight";

  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();

  private WeightShapes() {}

  /** By canonical name. The output head is there also when it is tied and may be absent. */
  static Map<String, List<Long>> of(ModelConfig config) {
    WeightShapes all = new WeightShapes();
    all.add(EMBEDDING, config.text().vocabSize(), config.text().hiddenSize());
    for (int layer = 0; layer < config.text().numLayers(); layer++) {
      all.layer("model.layers." + layer + ".", config.text());
    }
    all.add("model.norm.weight", config.text().hiddenSize());
    all.add(OUTPUT_HEAD, config.text().vocabSize(), config.text().hiddenSize());
    VisionConfig vision = config.vision();
    all.add(
        "visual.patch_embed.proj.weight",
        vision.hiddenSize(),
        vision.inChannels(),
        vision.temporalPatchSize(),
        vision.patchSize(),
        vision.patchSize());
    for (int block = 0; block < vision.depth(); block++) {
      all.block("visual.blocks." + block + ".", vision);
    }
    all.add("visual.merger.ln_q.weight", vision.hiddenSize());
    all.linear("visual.merger.mlp.0", vision.mergedSize(), vision.mergedSize());
    all.linear("visual.merger.mlp.2", vision.outHiddenSize(), vision.mergedSize());
    return Collections.unmodifiableMap(all.shapes);
  }

  private void layer(String at, TextConfig text) {
    int hidden = text.hiddenSize();
    add(at + "input_layernorm.weight", hidden);
    add(at + "post_attention_layernorm.weight", hidden);
    linear(at + "self_attn.q_proj", hidden, hidden);
    linear(at + "self_attn.k_proj", text.kvSize(), hidden);
    linear(at + "self_attn.v_proj", text.kvSize(), hidden);
    add(at + "self_attn.o_proj.weight", hidden, hidden);
    add(at + "mlp.gate_proj.weight", text.intermediateSize(), hidden);
    add(at + "mlp.up_proj.weight", text.intermediateSize(), hidden);
    add(at + "mlp.down_proj.weight", hidden, text.intermediateSize());
  }

  private void block(String at, VisionConfig vision) {
    int width = vision.hiddenSize();
    add(at + "norm1.weight", width);
    add(at + "norm2.weight", width);
    linear(at + "attn.qkv", 3L * width, width);
    linear(at + "attn.proj", width, width);
    linear(at + "mlp.gate_proj", vision.intermediateSize(), width);
    linear(at + "mlp.up_proj", vision.intermediateSize(), width);
    linear(at + "mlp.down_proj", width, vision.intermediateSize());
  }

  private void linear(String at, long rows, long columns) {
    add(at + ".weight", rows, columns);
    add(at + ".bias", rows);
  }

  private void add(String name, long... shape) {
    shapes.put(name, Arrays.stream(shape).boxed().toList());
  }
}
