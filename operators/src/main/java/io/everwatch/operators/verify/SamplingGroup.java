// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.operators.verify.GoldenContext.Tensors;
import java.io.IOException;

/** Logits to scores and probabilities: penalty, temperature, top-k, top-p. */
final class SamplingGroup implements GoldenGroup {
  @Override
  public String name() {
    return "sampling";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    Tensors tensors = context.tensors("sampling/sampling.safetensors");
    for (JsonNode one : context.cases("sampling/cases.json")) {
      String name = one.get("name").asText();
      report.exact(
          name + " kept",
          () -> {
            float[] scores = scores(tensors, name, one);
            float[] expected = tensors.floats(name + "_scores");
            int kept = 0;
            for (int i = 0; i < scores.length; i++) {
              if (Float.isInfinite(scores[i]) != Float.isInfinite(expected[i])) {
                return "%s at index %d, expected %s".formatted(scores[i], i, expected[i]);
              }
              kept += Float.isInfinite(scores[i]) ? 0 : 1;
            }
            return Differences.between(kept, one.get("kept").intValue());
          });
      report.within(
          name,
          GoldenLimits.PROBABILITIES,
          () ->
              Differences.largest(
                  SamplingRules.probabilities(scores(tensors, name, one)),
                  tensors.floats(name + "_probabilities")));
    }
  }

  private static float[] scores(Tensors tensors, String name, JsonNode one) {
    float[] scores = tensors.floats(name + "_logits");
    new SamplingRules(
            one.get("repetition_penalty").floatValue(),
            one.get("temperature").floatValue(),
            one.get("top_k").intValue(),
            one.get("top_p").floatValue())
        .score(scores, SamplingRules.distinct(GoldenContext.ints(one.get("ids"))));
    return scores;
  }
}
