// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import io.everwatch.job.chaos.KillPlan.Kill;
import io.everwatch.job.chaos.KillPlan.Target;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What became of each kill of a campaign, and of the campaign. */
final class KillLedger {
  /**
   * One kill.
   *
   * @param atSeconds since the cameras began
   * @param chunks the last chunk of each stream that had been read before
   * @param firstSeconds from the kill until committed text that was made after it was read, of any
   *     stream
   * @param allSeconds the same, of every stream
   * @param silenceSeconds the longest time until then without live text of any stream
   */
  record Entry(
      Kill kill,
      double atSeconds,
      Map<String, Long> chunks,
      double firstSeconds,
      double allSeconds,
      double silenceSeconds) {}

  /**
   * The end of it.
   *
   * @param firstDifferent first chunk by stream that is not, byte for byte, what an uninterrupted
   *     job says; a stream that does not differ is missing here
   * @param events compared
   * @param audit last line of the audit
   * @param published frames
   * @param found frames by the audit
   */
  record Outcome(
      Map<String, Long> firstDifferent,
      long events,
      String audit,
      boolean clean,
      long published,
      long found,
      int liveChanged) {
    boolean good() {
      return firstDifferent.isEmpty() && clean && published == found && liveChanged == 0;
    }

    String line() {
      return String.format(
          Locale.ROOT,
          "%,d committed events compared with those of an uninterrupted job on the same frames: %s;"
              + " %,d frames published, %,d found; live text changed %d times; audit: %s.",
          events,
          firstDifferent.isEmpty() ? "equal byte for byte" : "**different from** " + firstDifferent,
          published,
          found,
          liveChanged,
          audit);
    }
  }

  /**
   * First chunk by stream at which what was said is not what should have been; missing events and
   * events too many are differences as well.
   *
   * @param expected record values by stream, in order, one character for each byte
   * @param said the same
   */
  static Map<String, Long> firstDifferent(
      Map<String, List<String>> expected, Map<String, List<String>> said)
      throws WireFormatException {
    Map<String, Long> different = new TreeMap<>();
    Set<String> streams = new TreeSet<>(expected.keySet());
    streams.addAll(said.keySet());
    for (String stream : streams) {
      List<String> right = expected.getOrDefault(stream, List.of());
      List<String> ours = said.getOrDefault(stream, List.of());
      int same = 0;
      while (same < Math.min(right.size(), ours.size()) && right.get(same).equals(ours.get(same))) {
        same++;
      }
      if (same < Math.max(right.size(), ours.size())) {
        String at = same < ours.size() ? ours.get(same) : right.get(same);
        byte[] bytes = at.getBytes(StandardCharsets.ISO_8859_1);
        different.put(stream, WireFormat.decodeText(bytes).getChunk());
      }
    }
    return different;
  }

  private final long seed;
  private final List<Entry> entries = new ArrayList<>();

  KillLedger(long seed) {
    this.seed = seed;
  }

  void add(Entry entry) {
    entries.add(entry);
  }

  List<Entry> entries() {
    return List.copyOf(entries);
  }

  static final String HEAD =
      "| # | seed | killed (`kill -9`) | moment | at | committed text goes on, first stream | all"
          + " streams | longest live silence | text after it |\n"
          + "| --- | --- | --- | --- | --- | --- | --- | --- | --- |";

  /** Rows below {@link #HEAD}. */
  List<String> rows(Outcome outcome) {
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      rows.add(
          String.format(
              Locale.ROOT,
              "| %d | %d | %s | %s | %.0f s | %.1f s | %.1f s | %.1f s | %s |",
              i + 1,
              seed,
              entry.kill().victims(),
              entry.kill().moment(),
              entry.atSeconds(),
              entry.firstSeconds(),
              entry.allSeconds(),
              entry.silenceSeconds(),
              verdict(i, outcome)));
    }
    return rows;
  }

  /** A difference belongs to the last kill before it. */
  private String verdict(int index, Outcome outcome) {
    for (Map.Entry<String, Long> different : outcome.firstDifferent().entrySet()) {
      long from = chunk(index, different.getKey());
      long to = index + 1 < entries.size() ? chunk(index + 1, different.getKey()) : Long.MAX_VALUE;
      if (different.getValue() >= from && different.getValue() < to) {
        return "**differs** from chunk %d of %s"
            .formatted(different.getValue(), different.getKey());
      }
    }
    return "equal";
  }

  private long chunk(int index, String streamId) {
    return Objects.requireNonNullElse(entries.get(index).chunks().get(streamId), 0L);
  }

  /** Medians and maxima by what was killed, double kills apart. */
  List<String> summary() {
    List<String> rows = new ArrayList<>();
    rows.add(
        "| killed | kills | text goes on, all streams: median | longest | longest live silence: median | longest |");
    rows.add("| --- | --- | --- | --- | --- | --- |");
    for (Target target : Target.values()) {
      rows.add(
          summary(
              target.toString(),
              entries.stream()
                  .filter(one -> one.kill().target() == target && one.kill().second().isEmpty())
                  .toList()));
    }
    rows.add(
        summary(
            "two of them",
            entries.stream().filter(one -> one.kill().second().isPresent()).toList()));
    return rows;
  }

  private static String summary(String name, List<Entry> of) {
    double[] all = of.stream().mapToDouble(Entry::allSeconds).sorted().toArray();
    double[] silence = of.stream().mapToDouble(Entry::silenceSeconds).sorted().toArray();
    return of.isEmpty()
        ? "| %s | 0 | | | | |".formatted(name)
        : String.format(
            Locale.ROOT,
            "| %s | %d | %.1f s | %.1f s | %.1f s | %.1f s |",
            name,
            of.size(),
            median(all),
            all[all.length - 1],
            median(silence),
            silence[silence.length - 1]);
  }

  private static double median(double[] sorted) {
    return Flatness.median(Arrays.stream(sorted).boxed().toList());
  }
}
