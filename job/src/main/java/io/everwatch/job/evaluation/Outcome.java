// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import io.everwatch.kernels.SparseCounters;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * What one evaluation came to.
 *
 * @param cameras the scores of each camera by the stretches of its life
 * @param failures rounds that the engine could not make; they count as silence
 * @param rebuilds memories that were thrown away and made again
 * @param rebuiltRows prefilled to make them again, all together
 * @param sparse what sparse attention did meanwhile
 * @param costs of each stretch
 */
public record Outcome(
    List<List<Score>> cameras,
    long failures,
    long rebuilds,
    long rebuiltRows,
    SparseCounters sparse,
    List<Cost> costs) {
  public Outcome {
    cameras = cameras.stream().map(List::copyOf).toList();
    costs = List.copyOf(costs);
  }

  /**
   * What a second of a stream costs.
   *
   * @param cpuMillis of all threads of the process, mean over the stretch
   * @param mostRows rows attended over, at most
   */
  public record Cost(double cpuMillis, int mostRows) {}

  /** The stretches, all cameras together. */
  public List<Score> stretches() {
    List<Score> all = new ArrayList<>();
    for (int part = 0; part < costs.size(); part++) {
      int index = part;
      all.add(Score.sum(cameras.stream().map(camera -> camera.get(index)).toList()));
    }
    return all;
  }

  /** Over the whole life of all cameras. */
  public Score whole() {
    return Score.sum(stretches());
  }

  /** Every rate that had a case, with its interval. */
  public Map<String, Estimate> estimates() {
    return estimates(cameras.stream().map(Score::sum).toList());
  }

  /** The same of one stretch. */
  public Map<String, Estimate> estimates(int stretch) {
    return estimates(cameras.stream().map(camera -> camera.get(stretch)).toList());
  }

  private Map<String, Estimate> estimates(List<Score> scores) {
    Map<String, Estimate> estimates = new LinkedHashMap<>();
    for (String name : names()) {
      Optional<Estimate> of = Estimate.of(scores.stream().map(score -> score.rate(name)).toList());
      of.ifPresent(estimate -> estimates.put(name, estimate));
    }
    return estimates;
  }

  /** By how much a rate of the last stretch is above that of the first. */
  public OptionalDouble drift(String name) {
    List<Score> parts = stretches();
    OptionalDouble first = parts.get(0).rate(name).value();
    OptionalDouble last = parts.get(parts.size() - 1).rate(name).value();
    return first.isPresent() && last.isPresent()
        ? OptionalDouble.of(last.getAsDouble() - first.getAsDouble())
        : OptionalDouble.empty();
  }

  /** All rates in their order; a rate of answers appears with its first question. */
  public List<String> names() {
    Stream<Score> all = cameras.stream().flatMap(List::stream);
    return all.flatMap(score -> score.rates().keySet().stream()).distinct().toList();
  }
}
