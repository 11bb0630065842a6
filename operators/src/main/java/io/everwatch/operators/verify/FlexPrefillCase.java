// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection;
import io.everwatch.kernels.BlockSelection.Pattern;
import io.everwatch.kernels.BlockSelection.Probe;
import io.everwatch.kernels.ChosenBlocks;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.operators.model.BadModelException;
import io.everwatch.operators.model.Safetensors;
import io.everwatch.operators.verify.GoldenContext.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One file of {@code golden/flexprefill}: a span at the end of a context, what its heads choose and
 * what comes of it. What they choose is compared by itself; the attention then gets the file's own
 * choice, so that a wrong block cannot hide in a tolerance.
 *
 * @param grid the span's
 * @param heads query heads
 * @param headDim d
 */
record FlexPrefillCase(
    Tensors tensors, FlexPrefill settings, BlockGrid grid, int heads, int kvHeads, int headDim) {
  private static final List<Pattern> PATTERNS =
      List.of(Pattern.VERTICAL_SLASH, Pattern.QUERY_AWARE, Pattern.DENSE);

  /** Whether a file's header says that it is one. */
  static boolean isOne(Safetensors file) {
    return file.metadata().keySet().containsAll(List.of("gamma", "tau", "q_len", "kv_len"));
  }

  /**
   * @throws BadModelException if the file or what its header says cannot be read
   */
  static FlexPrefillCase read(Path path) {
    Safetensors file = Safetensors.open(path);
    Map<String, String> said = file.metadata();
    try {
      String cap = said.getOrDefault("max_budget", "none");
      return new FlexPrefillCase(
          new Tensors(file),
          new FlexPrefill(
              Integer.parseInt(said.getOrDefault("block", "")),
              Double.parseDouble(said.getOrDefault("gamma", "")),
              Double.parseDouble(said.getOrDefault("tau", "")),
              Integer.parseInt(said.getOrDefault("min_budget", "")),
              cap.equals("none") ? 0 : Integer.parseInt(cap),
              false),
          new BlockGrid(
              Integer.parseInt(said.getOrDefault("block", "")),
              Integer.parseInt(said.getOrDefault("q_len", "")),
              Integer.parseInt(said.getOrDefault("kv_len", ""))),
          Integer.parseInt(said.getOrDefault("query_heads", "")),
          Integer.parseInt(said.getOrDefault("kv_heads", "")),
          Integer.parseInt(said.getOrDefault("head_dim", "")));
    } catch (IllegalArgumentException e) {
      throw new BadModelException(
          "%s: its header says %s, which cannot be read (%s); expected the names and numbers that golden/flexprefill has; write the file again"
              .formatted(path, said, e.getMessage()),
          e);
    }
  }

  LimitShares compare(Backend backend) {
    LimitShares shares = new LimitShares();
    FlexPrefillLimits limits = FlexPrefillLimits.of(backend.dtype());
    SpanRun chosen = SpanRun.of(backend, this, settings);
    for (int head = 0; head < heads; head++) {
      compareChoice(head, chosen.selection().heads().get(head), limits, shares);
    }
    SpanRun prescribed =
        SpanRun.of(backend, this, new ChosenBlocks(settings.block(), masks("mask")));
    compareOutput("prescribed", prescribed.out(), limits, shares);
    float[] lse = tensors.floats("lse");
    float[] actual = prescribed.selection().lse();
    float[] expected = new float[lse.length];
    for (int i = 0; i < lse.length; i++) { // [n, heads] from [heads, n]
      expected[i] = lse[i % heads * grid.queries() + i / heads];
    }
    shares.within("lse", Differences.largest(actual, expected), FlexPrefillLimits.LSE);
    if (PATTERNS.get(tensors.ints("pattern")[0]) == Pattern.DENSE) {
      compareOutput("dense", chosen.out(), limits, shares);
    }
    return shares;
  }

  private void compareChoice(
      int head, BlockSelection.Head actual, FlexPrefillLimits limits, LimitShares shares) {
    String of = "head %d: ".formatted(head);
    Pattern expected = PATTERNS.get(tensors.ints("pattern")[head]);
    shares.holds(
        of + "pattern %s, expected %s".formatted(actual.pattern(), expected),
        actual.pattern() == expected || tensors.ints("pattern_steady")[head] == 0);
    shares.holds(of + "blocks are missing", masks("mask_must").get(head).isWithin(actual.mask()));
    shares.holds(of + "blocks too many", actual.mask().isWithin(masks("mask_may").get(head)));
    if (!tensors.has("js_distance")) {
      return;
    }
    if (actual.probe().isEmpty()) {
      shares.holds(of + "nothing was probed", false);
      return;
    }
    Probe probe = actual.probe().get();
    float distance = tensors.floats("js_distance")[head];
    if (Float.isNaN(distance)) {
      shares.holds(of + "distance is a number", Double.isNaN(probe.distance()));
    } else {
      shares.within(of + "distance", Math.abs(probe.distance() - distance), limits.distance());
    }
    near(of, "column_mass", head, probe.columnMass(), limits.mass(), shares);
    near(of, "offset_mass", head, probe.offsetMass(), limits.mass(), shares);
    near(of, "pooled_estimate", head, probe.estimate(), limits.estimate(), shares);
    int[] cover = tensors.ints("tokens_to_cover");
    shares.within(
        of + "tokens to cover",
        Math.max(
            Math.abs(probe.columnTokens() - cover[2 * head]),
            Math.abs(probe.offsetTokens() - cover[2 * head + 1])),
        FlexPrefillLimits.TOKENS);
    int[] budget = tensors.ints("budget_blocks");
    shares.holds(
        of + "budgets %d and %d".formatted(probe.columnBudget(), probe.offsetBudget()),
        probe.columnBudget() == budget[2 * head] && probe.offsetBudget() == budget[2 * head + 1]);
  }

  private void near(
      String of, String tensor, int head, float[] actual, double limit, LimitShares shares) {
    int blocks = grid.blocks();
    float[] expected =
        Arrays.copyOfRange(tensors.floats(tensor), head * blocks, (head + 1) * blocks);
    shares.within(of + tensor, Differences.largest(actual, expected), limit);
  }

  /** Outputs {@code [n, heads, d]}, each head by itself. */
  private void compareOutput(
      String which, float[] actual, FlexPrefillLimits limits, LimitShares shares) {
    float[] expected = tensors.floats("out");
    shares.within(
        which + " out, largest", Differences.largest(actual, expected), limits.outLargest());
    for (int head = 0; head < heads; head++) {
      double difference = 0;
      double size = 0;
      for (int i = head * headDim; i < expected.length; i += heads * headDim) {
        for (int d = i; d < i + headDim; d++) {
          difference += ((double) actual[d] - expected[d]) * ((double) actual[d] - expected[d]);
          size += (double) expected[d] * expected[d];
        }
      }
      shares.within(
          "%s out of head %d, relative".formatted(which, head),
          Math.sqrt(difference / size),
          limits.outRelative());
    }
  }

  private List<BlockMask> masks(String tensor) {
    byte[] cells = tensors.bytes(tensor);
    List<BlockMask> masks = new ArrayList<>();
    for (int head = 0; head < heads; head++) {
      masks.add(
          BlockMask.of(grid.rows(), grid.blocks(), cells, head * grid.rows() * grid.blocks()));
    }
    return masks;
  }
}
