// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Reads {@code config.json}: the top level overlaid by {@code text_config}, embeddings tied if
 * either level says so, sections from {@code rope_parameters}, else {@code rope_scaling}
 * (Qwen2.5-VL §3.3). A missing field is an error, because the public library's default for it is
 * another one.
 */
final class ConfigReader {
  /** Far above any published model, and low enough that no product of sizes leaves an int. */
  private static final int MAX_LAYERS = 1_000;

  private static final int MAX_WIDTH = 1 << 16;
  private static final int MAX_INNER = 1 << 20;
  private static final int MAX_HEADS = 1 << 10;
  private static final int MAX_VOCABULARY = 10_000_000;
  private static final int MAX_PATCH = 256;

  /** Also of channels, and of frames in a patch. */
  private static final int MAX_MERGE = 16;

  private final Path file;
  private final Problems problems = new Problems();

  ConfigReader(Path file) {
    this.file = file;
  }

  ModelConfig read() {
    ObjectNode root = JsonFile.read(file);
    JsonFields top = new JsonFields(root, "", problems);
    ObjectNode merged = root.deepCopy();
    top.object("text_config").ifPresent(merged::setAll);
    JsonFields text = new JsonFields(merged, "", problems);
    String modelType = top.text("model_type");
    if (!modelType.isEmpty() && !modelType.equals("qwen2_5_vl")) {
      problems.add("model_type is %s, expected qwen2_5_vl".formatted(modelType));
    }
    ModelConfig config =
        new ModelConfig(
            text(
                text,
                text.flag("tie_word_embeddings", false) || top.flag("tie_word_embeddings", false)),
            vision(top),
            tokens(text));
    if (!problems.any()) {
      checkText(config);
      checkVision(config);
    }
    problems.throwIfAny(
        file.toString(),
        "Expected the config.json of a Qwen2.5-VL checkpoint; take it from the model's publisher.");
    return config;
  }

  private TextConfig text(JsonFields fields, boolean tied) {
    expectSilu(fields, "");
    if (fields.flag("use_sliding_window", false)) {
      problems.add("use_sliding_window is true, expected false: no layer here attends in windows");
    }
    // Absent from the published files; where a newer one has it, only the usual value is known.
    fields
        .optional("head_dim")
        .filter(
            d ->
                d.longValue() * fields.positive("num_attention_heads", MAX_HEADS)
                    != fields.positive("hidden_size", MAX_WIDTH))
        .ifPresent(d -> fields.wrong("head_dim", d, "hidden_size / num_attention_heads", d));
    Optional<ObjectNode> parameters = fields.object("rope_parameters");
    Optional<ObjectNode> scaling = fields.object("rope_scaling");
    ObjectNode rope = parameters.or(() -> scaling).orElse(null);
    List<Integer> sections = List.of();
    double theta = 1;
    if (rope == null) {
      problems.add("rope_scaling is missing");
    } else {
      String place = parameters.isPresent() ? "rope_parameters." : "rope_scaling.";
      JsonFields ropeFields = new JsonFields(rope, place, problems);
      expectType(ropeFields, place, "type", List.of("mrope", "default"));
      expectType(ropeFields, place, "rope_type", List.of("mrope", "default"));
      if (ropeFields.optional("type").or(() -> ropeFields.optional("rope_type")).isEmpty()) {
        problems.add(place + "type is missing");
      }
      sections = ropeFields.integers("mrope_section");
      theta =
          ropeFields.optional("rope_theta").isPresent()
              ? ropeFields.positiveNumber("rope_theta")
              : fields.positiveNumber("rope_theta");
    }
    return new TextConfig(
        fields.positive("hidden_size", MAX_WIDTH),
        fields.positive("num_hidden_layers", MAX_LAYERS),
        fields.positive("num_attention_heads", MAX_HEADS),
        fields.positive("num_key_value_heads", MAX_HEADS),
        fields.positive("intermediate_size", MAX_INNER),
        fields.positive("vocab_size", MAX_VOCABULARY),
        fields.positive("max_position_embeddings", Integer.MAX_VALUE),
        (float) fields.positiveNumber("rms_norm_eps"),
        theta,
        sections,
        tied);
  }

  private VisionConfig vision(JsonFields top) {
    Optional<ObjectNode> object = top.object("vision_config");
    if (object.isEmpty()) {
      problems.add("vision_config is missing");
      return new VisionConfig(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, List.of(), 1);
    }
    JsonFields fields = new JsonFields(object.get(), "vision_config.", problems);
    expectSilu(fields, "vision_config.");
    fields.object("rope_parameters").ifPresent(this::checkVisionRope);
    return new VisionConfig(
        fields.positive("depth", MAX_LAYERS),
        fields.positive("hidden_size", MAX_WIDTH),
        fields.positive("num_heads", MAX_HEADS),
        fields.positive("intermediate_size", MAX_INNER),
        fields.positiveOfAny(MAX_MERGE, "in_chans", "in_channels"),
        fields.positive("out_hidden_size", MAX_WIDTH),
        fields.positive("patch_size", MAX_PATCH),
        fields.positive("temporal_patch_size", MAX_MERGE),
        fields.positive("spatial_merge_size", MAX_MERGE),
        fields.positive("window_size", MAX_WIDTH),
        fields.integers("fullatt_block_indexes").stream().sorted().toList(),
        fields.positiveNumber("tokens_per_second"));
  }

  private void checkVisionRope(ObjectNode rope) {
    String place = "vision_config.rope_parameters.";
    JsonFields fields = new JsonFields(rope, place, problems);
    expectType(fields, place, "rope_type", List.of("axial", "default"));
    fields
        .optional("rope_theta")
        .filter(theta -> theta.doubleValue() != 10_000)
        .ifPresent(theta -> fields.wrong("rope_theta", theta, "10000", theta));
  }

  private ModelTokens tokens(JsonFields fields) {
    List<Integer> end = fields.tokenIds("eos_token_id");
    if (end.isEmpty()) {
      problems.add("eos_token_id is missing");
    }
    return new ModelTokens(
        fields.tokenId("vision_start_token_id"),
        fields.tokenId("vision_end_token_id"),
        fields.tokenId("image_token_id"),
        fields.tokenId("video_token_id"),
        end);
  }

  private void expectSilu(JsonFields fields, String place) {
    String act = fields.text("hidden_act");
    if (!act.isEmpty() && !act.equals("silu")) {
      problems.add("%shidden_act is %s, expected silu".formatted(place, act));
    }
  }

  private void expectType(JsonFields fields, String place, String name, List<String> known) {
    fields
        .optional(name)
        .filter(type -> !known.contains(type.asText()))
        .ifPresent(
            type ->
                problems.add("%s%s is %s, expected one of %s".formatted(place, name, type, known)));
  }

  private void checkText(ModelConfig config) {
    TextConfig text = config.text();
    divides("hidden_size", text.hiddenSize(), "num_attention_heads", text.numHeads());
    divides("num_attention_heads", text.numHeads(), "num_key_value_heads", text.numKvHeads());
    int sum = text.mropeSection().stream().mapToInt(Integer::intValue).sum();
    if (text.mropeSection().size() != 3 || 2 * sum != text.headDim()) {
      problems.add(
          "mrope_section is %s, expected three numbers whose sum is %d, half the head dim"
              .formatted(text.mropeSection(), text.headDim() / 2));
    }
    ModelTokens tokens = config.tokens();
    idInVocabulary("vision_start_token_id", tokens.visionStart(), text);
    idInVocabulary("vision_end_token_id", tokens.visionEnd(), text);
    idInVocabulary("image_token_id", tokens.imagePad(), text);
    idInVocabulary("video_token_id", tokens.videoPad(), text);
    tokens.endOfTurn().forEach(id -> idInVocabulary("eos_token_id", id, text));
  }

  private void checkVision(ModelConfig config) {
    VisionConfig vision = config.vision();
    divides("vision_config.hidden_size", vision.hiddenSize(), "num_heads", vision.numHeads());
    if (vision.headDim() % 4 != 0) {
      problems.add(
          "the vision head dim is %d, expected a multiple of 4 (row and column pairs)"
              .formatted(vision.headDim()));
    }
    divides(
        "vision_config.window_size",
        vision.windowSize(),
        "patch_size * spatial_merge_size",
        vision.mergedPatchSize());
    if (vision.outHiddenSize() != config.text().hiddenSize()) {
      problems.add(
          "vision_config.out_hidden_size is %d, expected %d, the hidden_size"
              .formatted(vision.outHiddenSize(), config.text().hiddenSize()));
    }
    vision.fullAttentionBlocks().stream()
        .filter(block -> block >= vision.depth())
        .forEach(
            block ->
                problems.add(
                    "vision_config.fullatt_block_indexes names block %d of %d"
                        .formatted(block, vision.depth())));
  }

  private void divides(String name, int value, String divisorName, int divisor) {
    if (value % divisor != 0) {
      problems.add(
          "%s is %d, expected a multiple of %s, %d".formatted(name, value, divisorName, divisor));
    }
  }

  private void idInVocabulary(String name, int id, TextConfig text) {
    if (id >= text.vocabSize()) {
      problems.add(
          "%s is %d, expected an id below vocab_size, %d".formatted(name, id, text.vocabSize()));
    }
  }
}
