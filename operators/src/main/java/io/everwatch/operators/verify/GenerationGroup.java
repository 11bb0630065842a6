// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.Trace;
import io.everwatch.operators.verify.Accuracy.Beside;
import io.everwatch.operators.verify.GoldenContext.Tensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Greedy decoding with cached rows: the same ids, and logits within the limit at every step. Where
 * the type is too coarse for the same ids, those of the fixtures are fed.
 */
final class GenerationGroup implements GoldenGroup {
  @Override
  public String name() {
    return "generation";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    Map<String, JsonNode> prompts = new HashMap<>();
    for (JsonNode prompt : context.cases("forward/cases.json")) {
      prompts.put("forward/" + prompt.get("file").asText(), prompt);
    }
    for (JsonNode one : context.cases("generation/cases.json")) {
      String name = one.get("file").asText();
      int[] expected = GoldenContext.ints(one.get("output_ids"));
      List<float[]> logits = new ArrayList<>();
      if (context.accuracy().choosesTheSame()) {
        report.exact(
            name + " output_ids",
            () -> Differences.between(generate(context, one, prompts, logits), expected));
      }
      context
          .accuracy()
          .logits(
              report,
              name,
              () -> {
                if (logits.isEmpty()) {
                  generate(context, one, prompts, logits);
                }
                return beside(logits, context.tensors("generation/" + name));
              });
    }
  }

  private static Beside beside(List<float[]> logits, Tensors tensors) {
    float[] expected = tensors.floats("logits");
    float[] actual = new float[expected.length];
    int width = tensors.extent("logits", 1);
    for (int step = 0; step < tensors.extent("logits", 0); step++) {
      System.arraycopy(logits.get(step), 0, actual, step * width, width);
    }
    return new Beside(actual, expected, width);
  }

  /**
   * @param logits receives the row of each step, before the penalty
   */
  private static int[] generate(
      GoldenContext context, JsonNode one, Map<String, JsonNode> prompts, List<float[]> logits) {
    String inputs = one.get("inputs").asText();
    JsonNode source = prompts.get(inputs);
    if (source == null) {
      throw new IllegalStateException("no prompt " + inputs);
    }
    Model model = context.model(one.get("checkpoint").asText());
    Prompt prompt = Prompt.read(source, context.tensors(inputs), model);
    int[] expected = GoldenContext.ints(one.get("output_ids"));
    int steps = expected.length;
    SamplingRules greedy = new SamplingRules(one.get("repetition_penalty").floatValue(), 0, 0, 1);
    BitSet ids = SamplingRules.distinct(prompt.ids());
    int[] output = new int[steps];
    int width = model.decoder().vocabSize();
    try (PromptRun run = new PromptRun(model, context.backend(), prompt.ids().length + steps)) {
      float[] all = run.prefill(prompt, Trace.NONE);
      float[] row = Arrays.copyOfRange(all, all.length - width, all.length);
      for (int step = 0; step < steps; step++) {
        logits.add(row.clone());
        greedy.score(row, ids);
        output[step] =
            context.accuracy().choosesTheSame() ? SamplingRules.argMax(row) : expected[step];
        ids.set(output[step]);
        if (step + 1 < steps) {
          row = run.decode(output[step], prompt.positions().next() + step);
        }
      }
    }
    return output;
  }
}
