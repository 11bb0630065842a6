// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.spread;

import io.everwatch.operators.flink.FrameRecordReader;
import io.everwatch.operators.flink.SpreadRegistry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The form of a spread registry: one line {@code place,streamId} per stream, in any order; the ID
 * is all behind the first comma. Blank lines and lines that begin with {@code #} say nothing. The
 * place stands in the line, so that a line may be removed or moved without touching the others.
 */
public final class SpreadFile {
  /** Largest file that is read: it travels with the job. */
  public static final int MAX_BYTES = 1 << 20;

  private static final String HEADER =
      """
      # Spread registry of Everwatch: place,streamId; see docs/spread.md.
      # A line may be added or removed, but a stream with state keeps its place.
      """;

  private final String text;
  private final Map<String, Integer> places;

  private SpreadFile(String text, Map<String, Integer> places) {
    this.text = text;
    this.places = places;
  }

  /** A file that knows no stream yet. */
  public static SpreadFile empty() {
    return new SpreadFile(HEADER, Map.of());
  }

  /**
   * Reads all of a file.
   *
   * @throws BadSpreadException naming every problem
   */
  public static SpreadFile parse(String text) {
    Map<String, Integer> places = new LinkedHashMap<>();
    Map<Integer, String> streams = new HashMap<>();
    List<String> problems = new ArrayList<>();
    int number = 0;
    for (String line : text.split("\n", -1)) {
      number++;
      String content = line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
      if (!content.isBlank() && !content.startsWith("#")) {
        entry(content, places, streams).map(at(number)).ifPresent(problems::add);
      }
    }
    if (!problems.isEmpty()) {
      throw new BadSpreadException(problems);
    }
    return new SpreadFile(text, places);
  }

  private static UnaryOperator<String> at(int line) {
    return problem -> "line %d %s".formatted(line, problem);
  }

  private static Optional<String> entry(
      String line, Map<String, Integer> places, Map<Integer, String> streams) {
    int comma = line.indexOf(',');
    String place = comma < 0 ? "" : line.substring(0, comma).strip();
    if (!place.matches("\\d{1,5}") || Integer.parseInt(place) >= SpreadRegistry.MAX_PLACES) {
      return Optional.of(
          "is '%.60s'; expected place,streamId with a place from 0 to %d"
              .formatted(line, SpreadRegistry.MAX_PLACES - 1));
    }
    String id = line.substring(comma + 1);
    Optional<String> bad = badId(id);
    if (bad.isPresent()) {
      return bad;
    }
    int at = Integer.parseInt(place);
    if (places.putIfAbsent(id, at) != null) {
      return Optional.of(
          "names stream %s a second time (place %d before); expected one line per stream"
              .formatted(id, places.get(id)));
    }
    String other = streams.putIfAbsent(at, id);
    return other == null
        ? Optional.empty()
        : Optional.of(
            "gives stream %s place %d, which is that of %s; expected a place of its own, such as %d"
                .formatted(id, at, other, next(streams)));
  }

  private static Optional<String> badId(String id) {
    int bytes = id.getBytes(StandardCharsets.UTF_8).length;
    if (bytes == 0 || bytes > FrameRecordReader.MAX_STREAM_ID_BYTES) {
      return Optional.of(
          "names a stream with an ID of %d bytes; expected 1 to %d"
              .formatted(bytes, FrameRecordReader.MAX_STREAM_ID_BYTES));
    }
    if (!id.equals(id.strip()) || id.chars().anyMatch(Character::isISOControl)) {
      return Optional.of(
          "names stream '%s'; expected no blanks around the ID and no control character; a stream"
                  .formatted(id.replaceAll("\\p{Cntrl}", "?"))
              + " with such a name goes by its hash");
    }
    return Optional.empty();
  }

  /** The least place that is free. */
  private static int next(Map<Integer, String> streams) {
    int place = 0;
    while (streams.containsKey(place)) {
      place++;
    }
    return place;
  }

  /**
   * The file with further lines at its end. Each new stream gets the least free place; lines that
   * are there stay as they are.
   *
   * @param streamIds those that are listed already are passed over
   * @throws BadSpreadException when an ID cannot be written, or there are too many
   */
  public SpreadFile with(Collection<String> streamIds) {
    Map<Integer, String> streams = new HashMap<>();
    places.forEach((id, place) -> streams.put(place, id));
    StringBuilder lines = new StringBuilder(text);
    if (!text.isEmpty() && !text.endsWith("\n")) {
      lines.append('\n');
    }
    Map<String, Integer> all = new LinkedHashMap<>(places);
    for (String id : streamIds) {
      if (!all.containsKey(id)) {
        int place = next(streams);
        streams.put(place, id);
        all.put(id, place);
        lines.append(place).append(',').append(id).append('\n');
      }
    }
    return parse(lines.toString()); // what could not be read again is not written
  }

  /** Places by stream ID, in the order of the lines. */
  public Map<String, Integer> places() {
    return places;
  }

  /** What the job takes along. */
  public SpreadRegistry registry() {
    return new SpreadRegistry(places);
  }

  /** As it is to be written. */
  public String text() {
    return text;
  }
}
