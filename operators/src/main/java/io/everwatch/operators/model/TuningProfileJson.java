// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.operators.model.TuningProfile.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The file of a {@link TuningProfile}: strict, a field that it does not know is refused. */
final class TuningProfileJson {
  /** Far above any grid that is worth measuring. */
  private static final int MAX_BYTES = 1 << 20;

  private static final Set<String> FIELDS =
      Set.of(
          "version",
          "numerics",
          "dtype",
          "heads",
          "kv_heads",
          "head_dim",
          "piece",
          "selector",
          "queries",
          "keys",
          "dense_micros",
          "sparse_micros",
          "density");

  private static final Set<String> SELECTOR =
      Set.of("block", "gamma", "tau", "min_budget", "max_budget", "dense_last_row");

  private TuningProfileJson() {}

  /**
   * @throws BadModelException naming all that is wrong with the file
   */
  static TuningProfile read(Path file) {
    ObjectNode root = JsonFile.read(file, MAX_BYTES, "everwatch tune writes one");
    Problems problems = new Problems();
    JsonFields fields = new JsonFields(root, "", problems);
    int version = fields.positive("version", Integer.MAX_VALUE);
    if (!problems.any() && version != TuningProfile.VERSION) {
      throw new BadModelException(
          "tuning profile %s has version %d; expected %d; measure again with this release's everwatch tune"
              .formatted(file, version, TuningProfile.VERSION));
    }
    refuseOthers("", root, FIELDS, problems);
    Target target = target(fields);
    FlexPrefill selector = selector(root, problems);
    int piece = fields.positive("piece", 1 << 20);
    List<Integer> queries = fields.integers("queries");
    List<Integer> keys = fields.integers("keys");
    double[][] dense = table(fields, "dense_micros");
    double[][] sparse = table(fields, "sparse_micros");
    double[][] density = table(fields, "density");
    problems.throwIfAny("tuning profile " + file, "Measure again with everwatch tune.");
    try {
      return new TuningProfile(target, piece, selector, queries, keys, dense, sparse, density);
    } catch (BadModelException e) {
      throw new BadModelException(file + ": " + e.getMessage(), e);
    }
  }

  private static void refuseOthers(
      String place, ObjectNode node, Set<String> known, Problems problems) {
    Set<String> unknown = new TreeSet<>();
    node.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(known);
    unknown.forEach(
        name ->
            problems.add(
                "%s%s is unknown, expected %s".formatted(place, name, new TreeSet<>(known))));
  }

  private static Target target(JsonFields fields) {
    String dtype = fields.text("dtype");
    boolean known = dtype.equals(DType.F32.name()) || dtype.equals(DType.BF16.name());
    if (!known && !dtype.isEmpty()) {
      fields.problems().add("dtype is \"%s\", expected F32 or BF16".formatted(dtype));
    }
    return new Target(
        fields.text("numerics"),
        known ? DType.valueOf(dtype) : DType.F32,
        fields.positive("heads", 1 << 16),
        fields.positive("kv_heads", 1 << 16),
        fields.positive("head_dim", 1 << 16));
  }

  private static FlexPrefill selector(ObjectNode root, Problems problems) {
    JsonFields outer = new JsonFields(root, "", problems);
    ObjectNode node = outer.object("selector").orElse(null);
    if (node == null) {
      return outer.missing("selector", FlexPrefill.DEFAULT);
    }
    JsonFields fields = new JsonFields(node, "selector.", problems);
    refuseOthers("selector.", node, SELECTOR, problems);
    int block = fields.positive("block", 1 << 20);
    double gamma = fields.positiveNumber("gamma");
    double tau = fields.optionalNumber("tau").orElseGet(() -> fields.missing("tau", 0.0));
    int minBudget = fields.positive("min_budget", Integer.MAX_VALUE);
    int maxBudget = fields.optionalInteger("max_budget").orElse(0);
    boolean denseLastRow = fields.flag("dense_last_row", false);
    if (problems.any()) {
      return FlexPrefill.DEFAULT;
    }
    try {
      return new FlexPrefill(block, gamma, tau, minBudget, maxBudget, denseLastRow);
    } catch (IllegalArgumentException e) {
      problems.add(String.valueOf(e.getMessage()));
      return FlexPrefill.DEFAULT;
    }
  }

  private static double[][] table(JsonFields fields, String name) {
    List<double[]> rows = new ArrayList<>();
    JsonNode node = fields.optional(name).orElse(null);
    if (node == null) {
      return fields.missing(name, new double[0][]);
    }
    for (JsonNode row : node) {
      double[] values = new double[row.size()];
      for (int i = 0; i < values.length; i++) {
        JsonNode value = row.get(i);
        if (!value.isNumber() && !value.isNull()) {
          return fields.wrong(name, node, "rows of numbers and null", new double[0][]);
        }
        values[i] = value.isNull() ? Double.NaN : value.doubleValue();
      }
      rows.add(values);
    }
    return rows.toArray(double[][]::new);
  }

  /** The whole file; equal profiles give equal bytes. */
  static ObjectNode of(TuningProfile profile) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("version", TuningProfile.VERSION);
    root.put("numerics", profile.target().numerics());
    root.put("dtype", profile.target().dtype().name());
    root.put("heads", profile.target().heads());
    root.put("kv_heads", profile.target().kvHeads());
    root.put("head_dim", profile.target().headDim());
    root.put("piece", profile.piece());
    ObjectNode chosen = root.putObject("selector");
    chosen.put("block", profile.selector().block());
    chosen.put("gamma", profile.selector().gamma());
    chosen.put("tau", profile.selector().tau());
    chosen.put("min_budget", profile.selector().minBudget());
    chosen.put("max_budget", profile.selector().maxBudget());
    chosen.put("dense_last_row", profile.selector().denseLastRow());
    profile.queries().forEach(root.putArray("queries")::add);
    profile.keys().forEach(root.putArray("keys")::add);
    put(root.putArray("dense_micros"), profile.denseMicros());
    put(root.putArray("sparse_micros"), profile.sparseMicros());
    put(root.putArray("density"), profile.density());
    return root;
  }

  private static void put(ArrayNode to, double[][] table) {
    for (double[] row : table) {
      ArrayNode values = to.addArray();
      Arrays.stream(row)
          .forEach(
              value -> {
                if (Double.isNaN(value)) {
                  values.addNull();
                } else {
                  values.add(value);
                }
              });
    }
  }
}
