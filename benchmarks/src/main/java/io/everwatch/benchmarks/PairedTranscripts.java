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
import java.util.stream.Stream;

/**
 * Whether two runs over the same scenes differ by more than chance: F1 of each transcript of {@code
 * everwatch evaluate --transcript}, as evaluate counts it (no tolerance in time), without and with
 * the numbers of the sentences, and their difference with its 95 % interval. The interval is that
 * of a paired bootstrap (10,000 draws from a fixed seed, percentiles): whole minutes of a stream
 * are drawn with replacement, the same ones for both runs, since neighbouring seconds hang together
 * and both runs saw the same events.
 *
 * <p>Arguments: transcript, transcript, first second that counts (0: all).
 */
public final class PairedTranscripts {
  private static final Pattern NUMBER = Pattern.compile(" number \\w+");
  private static final int DRAWS = 10_000;
  private static final int MINUTE = 60;

  /**
   * One second of one stream.
   *
   * @param twice 2 tp
   * @param wrong fp + fn: a wrong sentence in an eventful second is both
   */
  private record Line(String minute, String said, int twice, int wrong) {
    static Line of(String minute, String truth, String said, boolean numbers) {
      boolean same =
          numbers ? truth.equals(said) : withoutNumber(truth).equals(withoutNumber(said));
      boolean right = same && !truth.isEmpty();
      int wrong = (truth.isEmpty() ? 0 : 1) + (said.isEmpty() ? 0 : 1);
      return new Line(minute, said, right ? 2 : 0, right ? 0 : wrong);
    }

    private static String withoutNumber(String sentence) {
      return NUMBER.matcher(sentence).replaceAll("");
    }
  }

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
    Path one = Path.of(args[0]);
    Path other = Path.of(args[1]);
    long from = Long.parseLong(args[2]);
    System.out.println(compare(one, other, from, false));
    System.out.println("with numbers: " + compare(one, other, from, true));
  }

  /**
   * Compares.
   *
   * @param numbers whether a sentence must also have the right number
   */
  static Difference compare(Path one, Path other, long from, boolean numbers) throws IOException {
    Map<String, Line> lines = read(one, from, numbers);
    Map<String, Line> others = read(other, from, numbers);
    if (lines.isEmpty() || !lines.keySet().equals(others.keySet())) {
      throw new IllegalArgumentException(
          "%s has %d seconds and %s has %d; expected the same streams and seconds in both, and some"
              .formatted(one, lines.size(), other, others.size()));
    }
    List<Line> first = List.copyOf(lines.values());
    List<Line> second = List.copyOf(others.values());
    Map<String, List<Integer>> minutes = new TreeMap<>();
    long differing = 0;
    for (int i = 0; i < first.size(); i++) {
      minutes.computeIfAbsent(first.get(i).minute(), minute -> new ArrayList<>()).add(i);
      differing += first.get(i).said().equals(second.get(i).said()) ? 0 : 1;
    }
    List<List<Integer>> all = List.copyOf(minutes.values());
    double[] differences = new double[DRAWS];
    Random random = new Random(1);
    for (int d = 0; d < DRAWS; d++) {
      List<List<Integer>> drawn =
          Stream.generate(() -> all.get(random.nextInt(all.size()))).limit(all.size()).toList();
      differences[d] = f1(second, drawn) - f1(first, drawn);
    }
    Arrays.sort(differences);
    return new Difference(
        f1(first, all),
        f1(second, all),
        differences[DRAWS / 40],
        differences[DRAWS - 1 - DRAWS / 40],
        differing,
        first.size(),
        all.size());
  }

  private static Map<String, Line> read(Path transcript, long from, boolean numbers)
      throws IOException {
    JsonMapper mapper = new JsonMapper();
    Map<String, Line> lines = new TreeMap<>();
    for (String text : Files.readAllLines(transcript)) {
      JsonNode node = mapper.readTree(text);
      long second = node.get("t").asLong();
      String seed = node.get("seed").asText();
      if (second >= from) {
        lines.put(
            seed + " " + second,
            Line.of(
                seed + " " + second / MINUTE,
                node.get("truth").asText(),
                node.get("said").asText(),
                numbers));
      }
    }
    return lines;
  }

  /** {@code 2 tp / (2 tp + fp + fn)} of the seconds of these minutes. */
  private static double f1(List<Line> lines, List<List<Integer>> minutes) {
    long twice = 0;
    long wrong = 0;
    for (List<Integer> minute : minutes) {
      for (int i : minute) {
        twice += lines.get(i).twice();
        wrong += lines.get(i).wrong();
      }
    }
    return twice == 0 ? 0 : (double) twice / (twice + wrong);
  }
}
