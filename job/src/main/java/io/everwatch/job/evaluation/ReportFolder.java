// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A folder with a report: {@code report.md}, {@code report.json} and pictures. It appears whole or
 * not at all, and replaces nothing.
 */
public final class ReportFolder {
  private final Path folder;

  /**
   * Where the report is to be, once there is one.
   *
   * @throws IOException when it is there already, or its parent is not
   */
  public ReportFolder(Path folder) throws IOException {
    this.folder = folder.toAbsolutePath();
    if (Files.exists(this.folder)) {
      throw new FileAlreadyExistsException(
          folder.toString(), null, "a report is written into a folder of its own, not yet there");
    }
    Path parent = this.folder.getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw new NoSuchFileException(String.valueOf(parent));
    }
  }

  /** Writes all of it. */
  public void write(EvaluationReport report) throws IOException {
    Map<String, String> files = new LinkedHashMap<>();
    Map<String, String> pictures = new LinkedHashMap<>();
    for (LineChartOf chart : charts(report)) {
      files.put(chart.file, chart.svg);
      pictures.put(chart.title, chart.file);
    }
    files.put("report.md", new EvaluationMarkdown(report).text(pictures));
    files.put("report.json", report.json().toPrettyString() + "\n");
    write(files);
  }

  private record LineChartOf(String file, String title, String svg) {}

  /** Of one run all rates in one picture with intervals; of several one picture for each rate. */
  private static List<LineChartOf> charts(EvaluationReport report) {
    List<LineChartOf> charts = new ArrayList<>();
    if (report.runs().size() == 1) {
      Outcome outcome = report.runs().values().iterator().next();
      LineChart chart = new LineChart("rates over the life of the streams", report.minutes());
      outcome.names().forEach(name -> chart.line(name, points(outcome, name, true)));
      charts.add(new LineChartOf("rates.svg", "rates", chart.svg()));
      return charts;
    }
    List<String> names =
        report.runs().values().stream().flatMap(o -> o.names().stream()).distinct().toList();
    for (String name : names) {
      LineChart chart = new LineChart(name, report.minutes());
      report.runs().forEach((run, o) -> chart.line(run.name(), points(o, name, false)));
      charts.add(new LineChartOf(name + ".svg", name, chart.svg()));
    }
    return charts;
  }

  private static List<LineChart.Point> points(Outcome outcome, String name, boolean bars) {
    List<LineChart.Point> points = new ArrayList<>();
    for (int part = 0; part < outcome.costs().size(); part++) {
      Estimate known = outcome.estimates(part).get(name);
      if (known == null) {
        points.add(LineChart.Point.NONE);
      } else {
        double value = known.value();
        points.add(
            new LineChart.Point(value, bars ? known.low() : value, bars ? known.high() : value));
      }
    }
    return points;
  }

  private void write(Map<String, String> files) throws IOException {
    Path unfinished = Files.createTempDirectory(folder.getParent(), ".report");
    try {
      Path whole = Files.createDirectory(unfinished.resolve("report")); // for others to read, too
      for (Map.Entry<String, String> file : files.entrySet()) {
        Files.writeString(whole.resolve(file.getKey()), file.getValue());
      }
      Files.move(whole, folder, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      remove(unfinished);
    }
  }

  /** What is left when it could not be finished. */
  private static void remove(Path unfinished) throws IOException {
    try (Stream<Path> left = Files.walk(unfinished)) {
      left.sorted(Comparator.reverseOrder()).forEach(ReportFolder::delete);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
