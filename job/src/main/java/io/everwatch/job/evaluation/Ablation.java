// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * One way to treat the memory otherwise, of those that the paper compares (StreamingVLM §10, §14).
 *
 * @param name as on the command line
 * @param what for people
 * @param settings of the streams, by the keys of {@code streaming.json}
 * @param endless whether the memory grows with the stream
 */
public record Ablation(
    String name,
    String what,
    Map<String, String> settings,
    boolean nativePositions,
    boolean endless,
    Treatment treatment) {
  /** Seconds after which the paper's sliding window without overlap begins again. */
  private static final int RESTART = 100;

  private static final Map<String, String> KEEP_ALL =
      Map.of("visual_rounds", "100000", "text_rounds", "100000", "cut_text", "false");

  /** The method itself, to hold the others against. */
  public static final Ablation COMPACT =
      new Ablation("compact", "the method", Map.of(), false, false, Treatment.NONE);

  /** What {@code all} stands for. */
  private static final List<String> ALL =
      List.of(
          "compact",
          "no-eviction",
          "sliding-window=24",
          "sliding-window=100",
          "sliding-window-overlap",
          "native-positions",
          "no-sink",
          "no-text-window",
          "sink=8",
          "sink=64",
          "window=128",
          "window=768",
          "visual-window=0",
          "visual-window=1",
          "visual-window=4",
          "visual-window=8",
          "visual-window=32");

  /** Which there are, for help texts. */
  public static final String KNOWN =
      "compact, no-eviction, sliding-window[=SECONDS], sliding-window-overlap, native-positions,"
          + " no-sink, no-text-window, sink=TOKENS, window=TOKENS, visual-window=SECONDS, all";

  public Ablation {
    settings = Map.copyOf(settings);
  }

  /**
   * The ablations of these names; {@code all} is a set of every kind.
   *
   * @throws IllegalArgumentException naming what is not known
   */
  public static List<Ablation> parse(List<String> names) {
    return names.stream()
        .flatMap(name -> name.equals("all") ? ALL.stream() : Stream.of(name))
        .distinct()
        .map(Ablation::of)
        .toList();
  }

  private static Ablation of(String text) {
    int equals = text.indexOf('=');
    String name = equals < 0 ? text : text.substring(0, equals);
    if (equals < 0) {
      return switch (name) {
        case "compact" -> COMPACT;
        case "no-eviction" ->
            new Ablation(text, "nothing is evicted", KEEP_ALL, false, true, Treatment.NONE);
        case "sliding-window" -> restarted(text, RESTART);
        case "sliding-window-overlap" ->
            new Ablation(
                text,
                "what the method keeps, computed anew every second",
                Map.of(),
                false,
                false,
                Treatment.NONE.withRebuildEvery(1));
        case "native-positions" ->
            new Ablation(
                text, "positions as rows entered, growing", Map.of(), true, false, Treatment.NONE);
        case "no-sink" -> set(text, "no text sink", "text_sink", 0);
        case "no-text-window" -> set(text, "no text window", "text_window", 0);
        default -> throw unknown(text);
      };
    }
    int value = number(text, text.substring(equals + 1));
    return switch (name) {
      case "sliding-window" -> restarted(text, Math.max(1, value));
      case "sink" -> set(text, "text sink of %d tokens".formatted(value), "text_sink", value);
      case "window" -> set(text, "text window of %d tokens".formatted(value), "text_window", value);
      case "visual-window" -> visual(text, value);
      default -> throw unknown(text);
    };
  }

  private static Ablation set(String name, String what, String key, int value) {
    return new Ablation(
        name, what, Map.of(key, Integer.toString(value)), false, false, Treatment.NONE);
  }

  private static Ablation restarted(String name, int seconds) {
    return new Ablation(
        name,
        "begins again every %d s, with its words as context".formatted(seconds),
        KEEP_ALL,
        false,
        false,
        Treatment.NONE.withRestartEvery(seconds));
  }

  /** The current second counts; of 0 not even that is seen, for its pictures are black. */
  private static Ablation visual(String name, int seconds) {
    String what = seconds == 0 ? "blind" : "visual window of %d s".formatted(seconds);
    return new Ablation(
        name,
        what,
        Map.of("visual_rounds", Integer.toString(Math.max(1, seconds))),
        false,
        false,
        Treatment.NONE.withBlind(seconds == 0));
  }

  private static int number(String text, String value) {
    if (!value.matches("\\d{1,6}")) {
      throw new IllegalArgumentException(
          "--ablation %s: '%s' is no whole number of at most six digits".formatted(text, value));
    }
    return Integer.parseInt(value);
  }

  private static IllegalArgumentException unknown(String text) {
    return new IllegalArgumentException(
        "there is no ablation '%s'; expected one of %s".formatted(text, KNOWN));
  }
}
