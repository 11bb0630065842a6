// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** The page about the whole job as the pages get it (docs/wall.md). */
final class JobJson {
  /** Upper bounds of the histogram's bars, milliseconds; the last bar has none. */
  private static final long[] BARS = {
    50, 100, 150, 200, 300, 400, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000, 60_000
  };

  private JobJson() {}

  static ObjectNode of(
      Wall wall,
      Map<String, ReaderStatus> readers,
      Optional<FlinkWatch.Answer> flink,
      int clients) {
    JobFigures.Snapshot figures = wall.figures().snapshot();
    ObjectNode node = WallJson.NODES.objectNode();
    node.set("streams", states(wall));
    node.put("textsPerSecond", figures.textsPerSecond());
    node.put("framesPerSecond", figures.framesPerSecond());
    node.put("bytesPerSecond", figures.bytesPerSecond());
    ObjectNode lags = percentiles(node.putObject("lagMillis"), figures.lags());
    lags.put("p99", figures.lags().percentile(99));
    histogram(lags.putArray("histogram"), figures.lags());
    percentiles(node.putObject("committedLagMillis"), figures.committed());
    deadLetters(node.putObject("deadLetters"), figures);
    ArrayNode restarts = node.putArray("restarts");
    figures
        .restarts()
        .forEach(
            one ->
                restarts.addObject().put("atMillis", one.atMillis()).put("streams", one.streams()));
    ArrayNode series = node.putArray("series");
    figures.slots().forEach(slot -> point(series.addObject(), slot));
    node.set("flink", flink.flatMap(FlinkWatch.Answer::job).orElse(null));
    node.put("flinkError", flink.flatMap(FlinkWatch.Answer::problem).orElse(null));
    ObjectNode each = node.putObject("readers");
    readers.forEach((name, status) -> reader(each.putObject(name), status));
    node.put("streamsLeftOut", wall.streamsLeftOut());
    return node.put("clients", clients);
  }

  private static ObjectNode states(Wall wall) {
    Map<StreamState, Integer> counts = new EnumMap<>(StreamState.class);
    wall.streams().forEach(view -> counts.merge(view.state(), 1, Integer::sum));
    ObjectNode node = WallJson.NODES.objectNode();
    for (StreamState state : StreamState.values()) {
      node.put(state.json(), counts.getOrDefault(state, 0));
    }
    return node;
  }

  private static ObjectNode percentiles(ObjectNode node, LagHistogram lags) {
    return node.put("p50", lags.percentile(50)).put("p95", lags.percentile(95));
  }

  private static void histogram(ArrayNode bars, LagHistogram lags) {
    int before = 0;
    for (long bar : BARS) {
      int upTo = lags.upTo(bar);
      bars.addArray().add(bar).add(upTo - before);
      before = upTo;
    }
    bars.addArray().addNull().add(lags.total() - before);
  }

  private static void deadLetters(ObjectNode node, JobFigures.Snapshot figures) {
    node.put("total", figures.deadLetters());
    ArrayNode reasons = node.putArray("reasons");
    figures
        .reasons()
        .forEach(
            one ->
                reasons
                    .addObject()
                    .put("reason", one.reason())
                    .put("count", one.count())
                    .put("lastMillis", one.lastMillis())
                    .put("lastDetail", one.lastDetail())
                    .put("lastStream", one.lastStream().isEmpty() ? null : one.lastStream()));
  }

  private static void point(ObjectNode node, JobFigures.Slot slot) {
    double seconds = JobFigures.SLOT_MILLIS / 1e3;
    node.put("atMillis", slot.startMillis);
    node.put("texts", slot.texts / seconds).put("frames", slot.frames / seconds);
    WallJson.millis(node, "lagP95", slot.lags.percentile(95));
  }

  private static void reader(ObjectNode node, ReaderStatus status) {
    node.put("connected", status.connected()).put("skipped", status.skipped());
    node.put("problem", status.problem().isEmpty() ? null : status.problem());
  }
}
