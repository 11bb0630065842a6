// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.offline.RoadEvaluation;
import io.everwatch.job.scene.RoadScore;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.OptionalDouble;

/** Scores of roads, for people and programs. */
final class RoadReport {
  private RoadReport() {}

  /** The whole and its tenths; a rate without cases is null. */
  static ObjectNode json(RoadEvaluation.Outcome outcome) {
    ObjectNode all = JsonNodeFactory.instance.objectNode();
    all.put("failures", outcome.failures());
    all.put("rebuilds", outcome.rebuilds());
    all.put("rebuiltRows", outcome.rebuiltRows());
    all.putObject("sparse")
        .put("prefills", outcome.sparse().spans())
        .put("density", rounded(outcome.sparse().density()))
        .put("keptMass", rounded(outcome.sparse().meanKeptMass()))
        .put("verticalSlash", outcome.sparse().verticalSlash())
        .put("queryAware", outcome.sparse().queryAware());
    all.set("whole", rates(outcome.whole()));
    ArrayNode tenths = all.putArray("tenths");
    outcome.stretches().forEach(score -> tenths.add(rates(score)));
    return all;
  }

  private static ObjectNode rates(RoadScore score) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("events", score.events());
    node.put("silentSeconds", score.silentSeconds());
    put(node, "precision", score.precision());
    put(node, "recall", score.recall());
    put(node, "f1", score.f1());
    put(node, "exactRecall", score.exactRecall());
    put(node, "silencePrecision", score.silencePrecision());
    put(node, "silenceRecall", score.silenceRecall());
    node.put("counted", score.counted());
    put(node, "numberGiven", score.numberGiven());
    put(node, "numberFalse", score.numberFalse());
    put(node, "numberRightGivenSentence", score.numberRightGivenSentence());
    node.put("said", score.said());
    put(node, "countStep", score.countStep());
    node.put("far", score.far());
    put(node, "countStepFar", score.countStepFar());
    put(node, "countAbsolute", score.countAbsolute());
    return node;
  }

  private static void put(ObjectNode node, String name, OptionalDouble rate) {
    if (rate.isPresent()) {
      node.put(name, rounded(rate.getAsDouble()));
    } else {
      node.putNull(name);
    }
  }

  private static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4;
  }

  /** One line per tenth of the streams' life, and one for all. */
  static void table(RoadEvaluation.Outcome outcome, long minutes, PrintWriter out) {
    out.println(
        "minutes     events  prec. recall     f1  silence: prec. recall  given  false  number  "
            + " step  far step");
    double part = (double) minutes / RoadEvaluation.STRETCHES;
    for (int i = 0; i < RoadEvaluation.STRETCHES; i++) {
      String span = String.format(Locale.ROOT, "%.1f-%.1f", i * part, (i + 1) * part);
      out.println(row(span, outcome.stretches().get(i)));
    }
    out.println(row("all", outcome.whole()));
    if (outcome.rebuilds() > 0) {
      out.println(
          "%,d memories made again, of %,d rows on average"
              .formatted(outcome.rebuilds(), outcome.rebuiltRows() / outcome.rebuilds()));
    }
    if (outcome.sparse().spans() > 0) {
      out.println(
          String.format(
              Locale.ROOT,
              "%d sparse prefills of a layer, density %.3f, kept mass %.3f",
              outcome.sparse().spans(),
              outcome.sparse().density(),
              outcome.sparse().meanKeptMass()));
    }
    if (outcome.failures() > 0) {
      out.println(outcome.failures() + " rounds failed and count as silence");
    }
  }

  private static String row(String span, RoadScore score) {
    return String.format(
        Locale.ROOT,
        "%-11s %6d  %s  %s  %s           %s  %s  %s  %s   %s  %s     %s",
        span,
        score.events(),
        cell(score.precision()),
        cell(score.recall()),
        cell(score.f1()),
        cell(score.silencePrecision()),
        cell(score.silenceRecall()),
        cell(score.numberGiven()),
        cell(score.numberFalse()),
        cell(score.numberRightGivenSentence()),
        cell(score.countStep()),
        cell(score.countStepFar()));
  }

  private static String cell(OptionalDouble rate) {
    return rate.isPresent() ? String.format(Locale.ROOT, "%5.3f", rate.getAsDouble()) : "    -";
  }
}
