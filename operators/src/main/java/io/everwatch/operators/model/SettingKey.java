// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import java.util.List;
import java.util.stream.Stream;

/**
 * One setting of a stream: the schema of {@code streaming.json}, where keys are written as here,
 * and of the job's configuration, where {@code text-window} and {@code textWindow} mean {@code
 * text_window}.
 *
 * @param builtIn value when nothing else says one, as text: StreamingVLM's (StreamingVLM §2); empty
 *     where it follows from other settings
 * @param help one line for people
 */
record SettingKey<T>(String name, SettingType<T> type, String builtIn, String help) {
  static final SettingKey<Double> FPS =
      new SettingKey<>(
          "fps", SettingType.numberAbove(0, 60), "2", "sampled frames per second of video");
  static final SettingKey<Long> CHUNK =
      new SettingKey<>(
          "chunk",
          SettingType.duration("100 ms", "60 s"),
          "1 s",
          "length of a chunk: one round, one event; whole tenths of a second");
  static final SettingKey<Long> MIN_PIXELS =
      new SettingKey<>(
          "min_pixels",
          SettingType.whole(1, 100_000_000),
          "78400",
          "a frame with fewer pixels is enlarged");
  static final SettingKey<Long> MAX_PIXELS =
      new SettingKey<>(
          "max_pixels",
          SettingType.whole(1, 100_000_000),
          "602112",
          "a frame with more pixels is reduced");
  static final SettingKey<Long> VISUAL_ROUNDS =
      new SettingKey<>(
          "visual_rounds",
          SettingType.whole(1, 100_000),
          "16",
          "rounds whose pictures are remembered, the current one included");
  static final SettingKey<Long> TEXT_ROUNDS =
      new SettingKey<>(
          "text_rounds",
          SettingType.whole(2, 100_000),
          "16",
          "rounds whose turns stay in place before their words move to the text memory");
  static final SettingKey<Boolean> CUT_TEXT =
      new SettingKey<>(
          "cut_text",
          SettingType.flag(),
          "true",
          "whether the text memory is cut; false lets it grow for ever");
  static final SettingKey<Long> TEXT_SINK =
      new SettingKey<>(
          "text_sink",
          SettingType.whole(0, 1_000_000),
          "512",
          "first tokens of the text memory, kept for ever; the instruction stands here");
  static final SettingKey<Long> TEXT_WINDOW =
      new SettingKey<>(
          "text_window",
          SettingType.whole(0, 1_000_000),
          "512",
          "last tokens of the text memory that are kept");
  static final SettingKey<Long> MAX_NEW_TOKENS =
      new SettingKey<>(
          "max_new_tokens", SettingType.whole(1, 10_000), "20", "longest turn, in tokens");
  static final SettingKey<Double> TEMPERATURE =
      new SettingKey<>(
          "temperature", SettingType.number(0, 100), "0.9", "0 takes the best token every time");
  static final SettingKey<Double> REPETITION_PENALTY =
      new SettingKey<>(
          "repetition_penalty",
          SettingType.number(0.01, 100),
          "1.05",
          "lowers every token that the context holds already; 1 = off");
  static final SettingKey<Long> TOP_K =
      new SettingKey<>(
          "top_k", SettingType.whole(0, 10_000_000), "50", "draw among the k best; 0 = off");
  static final SettingKey<Double> TOP_P =
      new SettingKey<>(
          "top_p",
          SettingType.number(0.001, 1),
          "1",
          "draw among the best that have this probability together; 1 = off");
  static final SettingKey<Long> SEED =
      new SettingKey<>(
          "seed",
          SettingType.whole(Long.MIN_VALUE, Long.MAX_VALUE),
          "42",
          "start of the random draws");
  static final SettingKey<String> INSTRUCTION =
      new SettingKey<>(
          "instruction",
          SettingType.text(SamplingChanges.MAX_INSTRUCTION),
          "",
          "what the model is asked to watch for");
  static final SettingKey<QueryPlacement> QUERY_PLACEMENT =
      new SettingKey<>(
          "query_placement",
          SettingType.choice(QueryPlacement.class),
          "context",
          "where the instruction stands: in the text memory, or as published in the first turn");
  static final SettingKey<Long> MARKER_LIMIT =
      new SettingKey<>(
          "marker_limit",
          SettingType.duration("1 s", "1000000 s"),
          "9000 s",
          "largest time the model is told; then its upper half again and again");
  static final SettingKey<Long> ALLOWED_LATENESS =
      new SettingKey<>(
          "allowed_lateness",
          SettingType.duration("0 s", "1 h"),
          "1 s",
          "how far the stream's own clock passes a chunk's end before it closes incomplete");
  static final SettingKey<Long> MAX_GAP =
      new SettingKey<>(
          "max_gap",
          SettingType.duration("0 s", "36500 d"),
          "",
          "a longer gap in the video drops the remembered pictures");
  static final SettingKey<Long> MAX_CLOCK_JUMP =
      new SettingKey<>(
          "max_clock_jump",
          SettingType.duration("1 ms", "1 d"),
          "10 s",
          "a larger step of the capture time is a reset of the camera's clock");

  static final SettingKey<Long> PREFILL_PIECE =
      new SettingKey<>(
          "prefill_piece",
          SettingType.multiple(PrefillSettings.ROWS, 0, 1 << 20),
          "0",
          "longest run of prompt rows computed in one step; 0 = as tuned, or 2048");
  static final SettingKey<PrefillSettings.Sparse> SPARSE_PREFILL =
      new SettingKey<>(
          "sparse_prefill",
          SettingType.choice(PrefillSettings.Sparse.class),
          "auto",
          "attend over chosen blocks in long prompts; auto = where the tuning profile found it faster");
  static final SettingKey<Long> SPARSE_BLOCK =
      new SettingKey<>(
          "sparse_block",
          SettingType.multiple(32, 32, 128),
          "128",
          "rows of a block of sparse attention");
  static final SettingKey<Double> SPARSE_GAMMA =
      new SettingKey<>(
          "sparse_gamma",
          SettingType.number(0.01, 0.999),
          "0.9",
          "share of the attention that the chosen blocks are to cover");
  static final SettingKey<Double> SPARSE_TAU =
      new SettingKey<>(
          "sparse_tau",
          SettingType.number(0, 1),
          "0.1",
          "largest divergence at which a head's blocks are chosen query by query");
  static final SettingKey<Long> SPARSE_MIN_BUDGET =
      new SettingKey<>(
          "sparse_min_budget",
          SettingType.whole(1, 1_000_000),
          "1024",
          "tokens that every head attends over at least");
  static final SettingKey<Long> SPARSE_MAX_BUDGET =
      new SettingKey<>(
          "sparse_max_budget",
          SettingType.whole(0, 100_000_000),
          "0",
          "largest budget of a head, in tokens; 0 = none");
  static final SettingKey<Long> SPARSE_MIN_CHUNK =
      new SettingKey<>(
          "sparse_min_chunk",
          SettingType.whole(1, 1_000_000),
          "512",
          "prompts and pieces with fewer new rows are dense");
  static final SettingKey<Boolean> SPARSE_DENSE_LAST_ROW =
      new SettingKey<>(
          "sparse_dense_last_row",
          SettingType.flag(),
          "true",
          "whether the last block of a sparse prompt attends over everything");

  /** How prompts are computed. */
  static final List<SettingKey<?>> PREFILL =
      List.of(
          PREFILL_PIECE,
          SPARSE_PREFILL,
          SPARSE_BLOCK,
          SPARSE_GAMMA,
          SPARSE_TAU,
          SPARSE_MIN_BUDGET,
          SPARSE_MAX_BUDGET,
          SPARSE_MIN_CHUNK,
          SPARSE_DENSE_LAST_ROW);

  /** All, in the order in which they are shown. */
  static final List<SettingKey<?>> ALL =
      Stream.<SettingKey<?>>concat(
              Stream.of(
                  FPS,
                  CHUNK,
                  MIN_PIXELS,
                  MAX_PIXELS,
                  VISUAL_ROUNDS,
                  TEXT_ROUNDS,
                  CUT_TEXT,
                  TEXT_SINK,
                  TEXT_WINDOW,
                  MAX_NEW_TOKENS,
                  TEMPERATURE,
                  REPETITION_PENALTY,
                  TOP_K,
                  TOP_P,
                  SEED,
                  INSTRUCTION,
                  QUERY_PLACEMENT,
                  MARKER_LIMIT,
                  ALLOWED_LATENESS,
                  MAX_GAP,
                  MAX_CLOCK_JUMP),
              PREFILL.stream())
          .toList();

  static List<String> names() {
    return ALL.stream().<String>map(SettingKey::name).toList();
  }
}
