// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * The Flink job with its broker and cameras in a process of their own, {@code everwatch demo}: on
 * the device, and once more on the CPU to compare what was said.
 */
final class JobPart {
  private static final String MAIN = "io.everwatch.job.cli.Everwatch";
  private static final long LIMIT_SECONDS = 300;
  private static final JsonMapper JSON = new JsonMapper();

  private final Check check;

  JobPart(Check check) {
    this.check = check;
  }

  void run(Ledger ledger) {
    ledger.item("demo", this::demo);
    ledger.item("demo beside the CPU", this::beside);
  }

  /**
   * What a run said.
   *
   * @param texts by stream and chunk
   */
  private record Said(Map<String, String> texts, JsonNode summary) {}

  private Map<String, Object> demo() throws Exception {
    Said said = run(check.device().toString());
    for (String wrong : List.of("errors", "changed", "deadLetters")) {
      if (said.summary.path(wrong).asLong(-1) != 0) {
        throw new IllegalStateException(
            "the demo's %s: %s; expected 0".formatted(wrong, said.summary.path(wrong)));
      }
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    said.summary.properties().forEach(field -> figures.put(field.getKey(), field.getValue()));
    return figures;
  }

  /** In bf16 a near tie may go the other way; in most seconds nothing is near. */
  private Map<String, Object> beside() throws Exception {
    Map<String, String> there = said(out(check.device().toString())).texts; // of the item before
    Map<String, String> here = run("cpu").texts;
    Map<String, String> both = new TreeMap<>(there);
    both.keySet().retainAll(here.keySet());
    long equal =
        both.entrySet().stream().filter(e -> e.getValue().equals(here.get(e.getKey()))).count();
    if (both.isEmpty()) {
      throw new IllegalStateException("no second was described by both");
    }
    return Map.of("secondsOfBoth", both.size(), "equalShare", (double) equal / both.size());
  }

  private Said run(String device) throws Exception {
    Path out = out(device);
    Path err = check.directory().resolve("demo-%s.err".formatted(device));
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String property :
        List.of(
            "java.io.tmpdir",
            "everwatch.cache.dir",
            "org.bytedeco.javacpp.cachedir",
            "everwatch.cuda.emulation")) {
      if (System.getProperty(property) != null) {
        line.add("-D%s=%s".formatted(property, System.getProperty(property)));
      }
    }
    line.addAll(
        List.of(
            "--add-opens=java.base/java.util=ALL-UNNAMED",
            "-Xmx2g",
            "-cp",
            System.getProperty("java.class.path"),
            MAIN,
            "demo",
            "--json",
            "--cameras",
            check.shapes().name().equals("full") ? "4" : "1",
            "--duration",
            check.shapes().name().equals("full") ? "40s" : "5s",
            "--device",
            device));
    Process demo =
        new ProcessBuilder(line).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    try {
      if (!demo.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException(
            "the demo did not end within %d s; see %s".formatted(LIMIT_SECONDS, err));
      }
    } finally {
      demo.destroyForcibly();
    }
    if (demo.exitValue() != 0) {
      throw new IllegalStateException(
          "the demo on %s ended with exit code %d: %s"
              .formatted(device, demo.exitValue(), lastLines(err)));
    }
    return said(out);
  }

  private Path out(String device) {
    return check.directory().resolve("demo-%s.out".formatted(device));
  }

  private static Said said(Path out) throws IOException {
    Map<String, String> texts = new TreeMap<>();
    JsonNode summary = JSON.createObjectNode();
    for (String text : Files.readAllLines(out)) {
      JsonNode line = JSON.readTree(text);
      if (line.has("summary")) {
        summary = line.get("summary");
      } else if (line.path("kind").asText().equals("ERROR")) {
        throw new IllegalStateException("a second could not be described: " + line);
      } else {
        texts.put(
            "%s/%s".formatted(line.path("streamId").asText(), line.path("chunk").asText()),
            line.path("text").asText());
      }
    }
    if (texts.isEmpty()) {
      throw new IllegalStateException("the demo said nothing; see " + out);
    }
    return new Said(texts, summary);
  }

  private static String lastLines(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    return String.join(" | ", lines.subList(Math.max(0, lines.size() - 5), lines.size()));
  }
}
