// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.Trace.Step;
import io.everwatch.operators.verify.GoldenContext.Tensors;
import java.io.IOException;

/** Logits of whole prompts, for one case with what lies between the layers. */
final class ForwardGroup implements GoldenGroup {
  @Override
  public String name() {
    return "forward";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    for (JsonNode one : context.cases("forward/cases.json")) {
      String file = one.get("file").asText();
      Seen seen = new Seen(context.backend());
      report.exact(file + " position_ids", () -> positions(context, one, file));
      report.within(
          file,
          GoldenLimits.LOGITS,
          () -> {
            Tensors tensors = context.tensors("forward/" + file);
            Model model = context.model(one.get("checkpoint").asText());
            Prompt prompt = Prompt.read(one, tensors, model);
            try (PromptRun run = new PromptRun(model, context.backend(), prompt.ids().length)) {
              return Differences.largest(run.prefill(prompt, seen), tensors.floats("logits"));
            }
          });
      Tensors tensors = context.tensors("forward/" + file);
      for (int i = 0; tensors.has("layer_%d_in".formatted(i)); i++) {
        compare(file, "layer_%d_in".formatted(i), Step.LAYER_INPUT, i, tensors, seen, report);
      }
      compare(file, "layer_0_attn", Step.LAYER_ATTENTION, 0, tensors, seen, report);
      compare(file, "final_norm", Step.FINAL_NORM, 0, tensors, seen, report);
    }
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

  private static void compare(
      String file,
      String tensor,
      Step step,
      int index,
      Tensors tensors,
      Seen seen,
      GoldenReport report) {
    if (tensors.has(tensor)) {
      report.within(
          file + " " + tensor,
          GoldenLimits.HIDDEN,
          () -> Differences.largest(seen.values(step, index), tensors.floats(tensor)));
    }
  }
}
