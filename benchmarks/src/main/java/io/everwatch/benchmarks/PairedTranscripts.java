// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Whether two runs over the same scenes differ by more than chance: F1 of each transcript of {@code
 * everwatch evaluate --transcript}, as evaluate counts it (no tolerance in time, numbers left
 * aside), and their difference with its 95 % interval. The interval is that of a paired bootstrap
 * (10,000 draws from a fixed seed, percentiles): whole minutes of a stream are drawn with
 * replacement, the same ones for both runs, since neighbouring seconds hang together and both runs
 * saw the same events.
 *
 * <p>Arguments: transcript, transcript, first second that counts (0: all).
 */
public final class PairedTranscripts {
  private static final Pattern NUMBER = Pattern.compile(" number \\w+");
  private static final int DRAWS = 10_000;
  private static final int MINUTE = 60;

  /** One run's 2 tp, fp + fn of one minute. */
  private record Counts(long twice, long wrong) {}

  /**
   * What was found.
   *
   * @param low end of the interval of {@code second - first}
   * @param differing seconds of which the two say different things
   */
  record Difference(
      double first,
      double second,
      double low,
      double high,
      long differing,
      long seconds,
      int minutes) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "F1 %.3f and %.3f, difference %+.3f (95 %%: %+.3f to %+.3f); %d of %d seconds said"
              + " differently; %d minutes",
          first,
          second,
          second - first,
          low,
          high,
          differing,
          seconds,
          minutes);
    }
  }

  private PairedTranscripts() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 3) {
      throw new IllegalArgumentException(
          "%d arguments; expected two transcripts and the first second that counts"
              .formatted(args.length));
    }
    System.out.println(compare(Path.of(args[0]), Path.of(args[1]), Long.parseLong(args[2])));
  }

  static Difference compare(Path one, Path other, long from) throws IOException {
    Map<String, JsonNode> first = read(one, from);
    Map<String, JsonNode> second = read(other, from);
    if (first.isEmpty() || !first.keySet().equals(second.keySet())) {
      throw new IllegalArgumentException(
          "%s has %d seconds and %s has %d; expected the same streams and seconds in both, and some"
              .formatted(one, first.size(), other, second.size()));
    }
    Map<String, List<String>> minutes = new TreeMap<>();
    first.forEach(
        (key, line) ->
            minutes
                .computeIfAbsent(
                    line.get("seed").asText() + " " + line.get("t").asLong() / MINUTE,
                    minute -> new ArrayList<>())
                .add(key));
    long differing =
        first.entrySet().stream()
            .filter(line -> !said(line.getValue()).equals(said(second.get(line.getKey()))))
            .count();
    List<Counts> a = minutes.values().stream().map(keys -> count(first, keys)).toList();
    List<Counts> b = minutes.values().stream().map(keys -> count(second, keys)).toList();
    double[] differences = new double[DRAWS];
    Random random = new Random(1);
    int[] drawn = new int[a.size()];
    for (int d = 0; d < DRAWS; d++) {
      Arrays.setAll(drawn, i -> random.nextInt(drawn.length));
      differences[d] = f1(b, drawn) - f1(a, drawn);
    }
    Arrays.sort(differences);
    Arrays.setAll(drawn, i -> i);
    return new Difference(
        f1(a, drawn),
        f1(b, drawn),
        differences[DRAWS / 40],
        differences[DRAWS - 1 - DRAWS / 40],
        differing,
        first.size(),
        a.size());
  }

  private static String said(JsonNode line) {
    return line.get("said").asText();
  }

  private static Map<String, JsonNode> read(Path transcript, long from) throws IOException {
    JsonMapper mapper = new JsonMapper();
    Map<String, JsonNode> lines = new TreeMap<>();
    for (String line : Files.readAllLines(transcript)) {
      JsonNode node = mapper.readTree(line);
      if (node.get("t").asLong() >= from) {
        lines.put(node.get("seed").asText() + " " + node.get("t").asText(), node);
      }
    }
    return lines;
  }

  private static Counts count(Map<String, JsonNode> transcript, List<String> keys) {
    long twice = 0;
    long wrong = 0;
    for (String key : keys) {
      String truth = sentence(transcript.get(key).get("truth").asText());
      String said = sentence(said(transcript.get(key)));
      if (!truth.isEmpty() && truth.equals(said)) {
        twice += 2;
      } else {
        wrong += (truth.isEmpty() ? 0 : 1) + (said.isEmpty() ? 0 : 1);
      }
    }
    return new Counts(twice, wrong);
  }

  private static String sentence(String whole) {
    return NUMBER.matcher(whole).replaceAll("");
  }

  private static double f1(List<Counts> minutes, int[] which) {
    long twice = 0;
    long wrong = 0;
    for (int i : which) {
      twice += minutes.get(i).twice();
      wrong += minutes.get(i).wrong();
    }
    return twice == 0 ? 0 : (double) twice / (twice + wrong);
  }
}
