// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.Trace.Step;
import io.everwatch.operators.verify.Accuracy.Beside;
import io.everwatch.operators.verify.GoldenContext.Tensors;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Logits of whole prompts, for one case with what lies between the layers. */
final class ForwardGroup implements GoldenGroup {
  /** Never leaves the back end; a mistake in it shows in the attention. */
  private static final String ROTATED_QUERIES = "layer_0_q_rot";

  @Override
  public String name() {
    return "forward";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    for (JsonNode one : context.cases("forward/cases.json")) {
      String file = one.get("file").asText();
      Map<String, float[]> between = new HashMap<>();
      report.exact(file + " position_ids", () -> positions(context, one, file));
      context
          .accuracy()
          .logits(
              report,
              file,
              () -> {
                Tensors tensors = context.tensors("forward/" + file);
                return new Beside(
                    logits(context, one, between),
                    tensors.floats("logits"),
                    tensors.extent("logits", 1));
              });
      for (String tensor : traced(context.tensors("forward/" + file))) {
        context
            .accuracy()
            .between(
                report,
                file + " " + tensor,
                GoldenLimits.HIDDEN,
                () -> {
                  float[] actual = between.get(tensor);
                  if (actual == null) {
                    throw new IllegalStateException("nothing was seen of " + tensor);
                  }
                  return new Beside(
                      actual, context.tensors("forward/" + file).floats(tensor), actual.length);
                });
      }
    }
  }

  /**
   * Runs the prompt.
   *
   * @param between receives intermediate results under the names of the fixtures
   */
  private static float[] logits(GoldenContext context, JsonNode one, Map<String, float[]> between) {
    Tensors tensors = context.tensors("forward/" + one.get("file").asText());
    Model model = context.model(one.get("checkpoint").asText());
    Prompt prompt = Prompt.read(one, tensors, model);
    Seen seen = new Seen(context.backend());
    try (PromptRun run = new PromptRun(model, context.backend(), prompt.ids().length)) {
      float[] logits = run.prefill(prompt, seen);
      for (int i = 0; i < model.config().text().numLayers(); i++) {
        between.put("layer_%d_in".formatted(i), seen.values(Step.LAYER_INPUT, i));
      }
      CachedRows cached = run.cached(0);
      between.put("layer_0_k_rot", cached.rotatedKeys(prompt.positions().positions()));
      between.put("layer_0_v", cached.values());
      between.put("layer_0_attn", seen.values(Step.LAYER_ATTENTION, 0));
      between.put("final_norm", seen.values(Step.FINAL_NORM, 0));
      return logits;
    }
  }

  private static List<String> traced(Tensors tensors) {
    return tensors.file().tensors().keySet().stream()
        .filter(tensor -> tensor.startsWith("layer_") || tensor.equals("final_norm"))
        .filter(tensor -> !tensor.equals(ROTATED_QUERIES))
        .sorted()
        .toList();
  }

  private static String positions(GoldenContext context, JsonNode one, String file) {
    Tensors tensors = context.tensors("forward/" + file);
    Prompt prompt = Prompt.read(one, tensors, context.model(one.get("checkpoint").asText()));
    int n = prompt.ids().length;
    int[] flat = new int[3 * n];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = (int) prompt.positions().positions()[i / n][i % n];
    }
    return Differences.between(flat, tensors.ints("position_ids"));
  }
}
