// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.DType;
import io.everwatch.operators.verify.GoldenResult;
import io.everwatch.operators.verify.GoldenSuite;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The published model's own numbers and those of sparse prefill attention, in each type. */
final class GoldenPart {
  private static final List<String> FOLDERS = List.of("golden", "flexprefill");

  /** Groups of the suite when all sizes are tiny: the build's own tests run the others. */
  private static final Set<String> FEW = Set.of("vision", "forward");

  private final Check check;

  GoldenPart(Check check) {
    this.check = check;
  }

  void run(Ledger ledger) {
    ledger.item("f32", () -> golden(DType.F32));
    ledger.item("bf16", () -> golden(DType.BF16));
  }

  private Map<String, Object> golden(DType dtype) {
    List<Path> folders = FOLDERS.stream().map(check.data()::resolve).toList();
    for (Path folder : folders) {
      if (!Files.isDirectory(folder)) {
        throw new IllegalStateException(
            "there are no golden cases in %s; expected what operators/src/test/golden has; unpack the bundle again"
                .formatted(folder));
      }
    }
    if (dtype == DType.BF16 && !check.onGpu()) {
      throw new SkippedException("the CPU computes in float32 only");
    }
    boolean all = check.shapes().name().equals("full");
    List<GoldenResult> results = new ArrayList<>();
    try (Backend backend = check.open(dtype)) {
      for (Path folder : folders) {
        GoldenSuite.run(folder, group -> all || FEW.contains(group), backend, results::add);
      }
    }
    List<GoldenResult> wrong = results.stream().filter(result -> !result.passed()).toList();
    if (results.isEmpty() || !wrong.isEmpty()) {
      throw new IllegalStateException(
          "%d of %d golden cases are above their limit: %s"
              .formatted(wrong.size(), results.size(), wrong));
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("cases", results.size());
    // Of the cases with a limit, how near the nearest came to it.
    figures.put(
        "worstShareOfLimit",
        results.stream()
            .filter(result -> result.limit() > 0 && Double.isFinite(result.worst()))
            .mapToDouble(result -> result.worst() / result.limit())
            .max()
            .orElse(0));
    return figures;
  }
}
