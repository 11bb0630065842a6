// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * One or several evaluations of the same cameras, as JSON.
 *
 * @param about what was done, in words: scene, model, command …
 * @param minutes length of each stream
 * @param runs by their ablation, {@link Ablation#COMPACT} where there is none
 */
public record EvaluationReport(
    Map<String, String> about, long minutes, List<Long> seeds, Map<Ablation, Outcome> runs) {
  public EvaluationReport {
    about = Collections.unmodifiableMap(new LinkedHashMap<>(about));
    seeds = List.copyOf(seeds);
    runs = Collections.unmodifiableMap(new LinkedHashMap<>(runs));
  }

  /** All figures; a rate without cases is null. */
  public ObjectNode json() {
    ObjectNode all = JsonNodeFactory.instance.objectNode();
    about.forEach(all::put);
    all.put("minutes", minutes);
    ArrayNode which = all.putArray("seeds");
    seeds.forEach(which::add);
    ArrayNode each = all.putArray("runs");
    runs.forEach((ablation, outcome) -> each.add(json(ablation, outcome)));
    return all;
  }

  private static ObjectNode json(Ablation ablation, Outcome outcome) {
    ObjectNode run = JsonNodeFactory.instance.objectNode();
    run.put("name", ablation.name());
    run.put("what", ablation.what());
    run.put("failures", outcome.failures());
    run.put("rebuilds", outcome.rebuilds());
    run.put("rebuiltRows", outcome.rebuiltRows());
    run.putObject("sparse")
        .put("prefills", outcome.sparse().spans())
        .put("density", rounded(outcome.sparse().density()))
        .put("keptMass", rounded(outcome.sparse().meanKeptMass()))
        .put("verticalSlash", outcome.sparse().verticalSlash())
        .put("queryAware", outcome.sparse().queryAware());
    run.set("whole", values(outcome.whole(), outcome.names()));
    ObjectNode intervals = run.putObject("intervals");
    outcome
        .estimates()
        .forEach(
            (name, estimate) ->
                intervals
                    .putObject(name)
                    .put("part", estimate.rate().part())
                    .put("cases", estimate.rate().whole())
                    .put("low", rounded(estimate.low()))
                    .put("high", rounded(estimate.high())));
    ArrayNode tenths = run.putArray("tenths");
    for (int part = 0; part < outcome.costs().size(); part++) {
      ObjectNode tenth = values(outcome.stretches().get(part), outcome.names());
      tenth.put("cpuMillisPerSecond", rounded(outcome.costs().get(part).cpuMillis()));
      tenth.put("mostRows", outcome.costs().get(part).mostRows());
      tenths.add(tenth);
    }
    return run;
  }

  private static ObjectNode values(Score score, List<String> names) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    for (String name : names) {
      OptionalDouble value = score.rate(name).value();
      if (value.isPresent()) {
        node.put(name, rounded(value.getAsDouble()));
      } else {
        node.putNull(name);
      }
    }
    return node;
  }

  static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4;
  }
}
