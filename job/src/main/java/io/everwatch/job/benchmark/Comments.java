// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Commentary of a benchmark, from its metadata to its file.
 *
 * @param start second at which games begin (Inf-Streams-Eval)
 */
public record Comments(
    Benchmark benchmark, Path metadata, Path videos, double start, GenerationOptions options) {
  /**
   * Comments what is missing in {@code file}.
   *
   * @param progress hears of each clip
   * @return lines in the file
   * @throws IllegalArgumentException when the file is of another run
   */
  public long into(Path file, EngineOptions engine, Skips skips, Consumer<String> progress)
      throws IOException, InterruptedException {
    List<Clip> clips = benchmark.clips(metadata, start, skips);
    try (Engine open = Engines.open(inPublishedPlaces(engine))) {
      return into(file, clips, open, skips, progress);
    }
  }

  /** The same with an engine that is open. */
  long into(Path file, List<Clip> clips, Engine engine, Skips skips, Consumer<String> progress)
      throws IOException, InterruptedException {
    try (ResumableLines out = new ResumableLines(file, about(engine))) {
      new Generation(benchmark, clips, videos, engine, options, out, skips, progress).run();
    }
    return Files.readAllLines(file).size();
  }

  /** The query has its own place; the standing text opens {@code previous text}. */
  private static EngineOptions inPublishedPlaces(EngineOptions options) {
    Map<String, String> settings = new LinkedHashMap<>(options.overrides());
    settings.put("query_placement", "context");
    return options.toBuilder().overrides(settings).build();
  }

  private ObjectNode about(Engine engine) {
    ObjectNode about = JsonLines.object();
    about.put("benchmark", benchmark.name());
    about.put("query", options.query());
    about.put("queryInFirstTurn", options.queryInFirstTurn());
    about.put("pieceSeconds", options.pieceSeconds().orElse(0));
    about.put("start", start);
    about.put("model", engine.modelDigest());
    about.put("numerics", engine.numericsIdentity());
    about.put("settings", engine.settings().toString());
    return about;
  }
}
