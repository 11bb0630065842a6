// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import io.everwatch.benchmarks.StructuredHeads.Kind;
import io.everwatch.kernels.BlockGrid;
import io.everwatch.kernels.BlockMask;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.sparse.HeadSelector;
import io.everwatch.kernels.sparse.HeadVectors;
import io.everwatch.kernels.sparse.PooledKeys;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What attention over chosen blocks leaves out, at lengths of which no trained heads are at hand:
 * {@link StructuredHeads} of 128 components, chosen for by the reference selector (which the CPU
 * back end runs and CUDA is tested against), attended densely and over the choice in double for
 * sampled queries, one of each of {@value #SAMPLES} equal parts of the span.
 *
 * <p>Prints a Markdown table, of each kind, gamma and length: density; share of the sampled
 * queries' mass that lies in the chosen blocks; relative L2 error and cosine of their outputs, all
 * together.
 *
 * <p>Arguments: lengths, rows of the span at the end (0: all), gammas, e.g. {@code 8192,131072 2048
 * 0.9,0.95}.
 */
public final class SparseQuality {
  private static final int DIM = 128;
  private static final int SAMPLES = 256;

  private final StructuredHeads heads;
  private final BlockGrid grid;
  private final Kind kind;
  private final float[] keys;
  private final float[] values;

  private SparseQuality(
      StructuredHeads heads, BlockGrid grid, Kind kind, float[] keys, float[] values) {
    this.heads = heads;
    this.grid = grid;
    this.kind = kind;
    this.keys = keys;
    this.values = values;
  }

  public static void main(String[] args) {
    if (args.length != 3) {
      throw new IllegalArgumentException(
          "%d arguments; expected lengths, rows of the span, gammas; e.g. 8192,16384 2048 0.9,0.95"
              .formatted(args.length));
    }
    double[] gammas = Arrays.stream(args[2].split(",")).mapToDouble(Double::parseDouble).toArray();
    int[] lengths = Arrays.stream(args[0].split(",")).mapToInt(Integer::parseInt).toArray();
    table(lengths, Integer.parseInt(args[1]), gammas).forEach(System.out::println);
  }

  /** Lines of the table; {@code span} 0: all rows. */
  static List<String> table(int[] lengths, int span, double[] gammas) {
    StringBuilder head = new StringBuilder("| head | gamma |");
    StringBuilder rule = new StringBuilder("| --- | --- |");
    Map<String, StringBuilder> rows = new LinkedHashMap<>();
    for (int length : lengths) {
      head.append(String.format(Locale.ROOT, " %,d |", length));
      rule.append(" --- |");
      int queries = span == 0 ? length : Math.min(span, length);
      BlockGrid grid = new BlockGrid(FlexPrefill.DEFAULT.block(), queries, length);
      for (SparseQuality one : ofEveryKind(grid)) {
        String[] cells = one.compare(gammas);
        for (int g = 0; g < gammas.length; g++) {
          String row = "| %s | %s |".formatted(one.kind.words(), gammas[g]);
          rows.computeIfAbsent(row, begin -> new StringBuilder(begin)).append(cells[g]);
        }
      }
    }
    return Stream.concat(Stream.of(head, rule), rows.values().stream())
        .map(StringBuilder::toString)
        .toList();
  }

  private static List<SparseQuality> ofEveryKind(BlockGrid grid) {
    StructuredHeads heads = new StructuredHeads(DIM, 1e6);
    float[] keys = new float[Math.multiplyExact(grid.keys(), DIM)];
    float[] values = new float[keys.length];
    for (int row = 0; row < grid.keys(); row++) {
      heads.key(row, 0, keys, row * DIM);
      heads.rotate(row, keys, row * DIM);
      heads.value(row, 0, values, row * DIM);
    }
    return Stream.of(Kind.values())
        .map(kind -> new SparseQuality(heads, grid, kind, keys, values))
        .toList();
  }

  /** A cell for each gamma. */
  private String[] compare(double[] gammas) {
    Head[] chosen = new Head[gammas.length];
    for (int g = 0; g < gammas.length; g++) {
      FlexPrefill d = FlexPrefill.DEFAULT;
      FlexPrefill settings =
          new FlexPrefill(
              d.block(), gammas[g], d.tau(), d.minBudget(), d.maxBudget(), d.denseLastRow());
      chosen[g] = HeadSelector.of(settings).select(0, grid, new Vectors());
    }
    double[] kept = new double[gammas.length];
    double[] dot = new double[gammas.length];
    double[] size = new double[gammas.length];
    double[] error = new double[gammas.length];
    double denseSize = 0;
    Random random = new Random(List.of(Kind.values()).indexOf(kind));
    float[] weights = new float[grid.keys()];
    int samples = Math.min(SAMPLES, grid.queries());
    for (int s = 0; s < samples; s++) {
      int from = (int) ((long) s * grid.queries() / samples);
      int to = (int) ((long) (s + 1) * grid.queries() / samples);
      int query = from + random.nextInt(to - from);
      double[] blocks = weights(query, weights);
      double[] dense = attend(query, weights, null);
      denseSize += dot(dense, dense);
      for (int g = 0; g < gammas.length; g++) {
        BlockMask mask = chosen[g].mask();
        double[] sparse = attend(query, weights, mask);
        int row = row(query);
        for (int c = 0; c < blocks.length; c++) {
          kept[g] += mask.has(row, c) ? blocks[c] / samples : 0;
        }
        dot[g] += dot(dense, sparse);
        size[g] += dot(sparse, sparse);
        for (int d = 0; d < DIM; d++) {
          error[g] += (sparse[d] - dense[d]) * (sparse[d] - dense[d]);
        }
      }
    }
    String[] cells = new String[gammas.length];
    for (int g = 0; g < gammas.length; g++) {
      cells[g] =
          String.format(
              Locale.ROOT,
              " %.3f, %.3f, %.3f, %.4f |",
              (double) chosen[g].mask().count() / grid.causalCells(),
              kept[g],
              Math.sqrt(error[g] / denseSize),
              dot[g] / Math.sqrt(denseSize * size[g]));
    }
    return cells;
  }

  private int row(int query) {
    return (grid.contextRows() + query) / grid.block() - grid.firstRow();
  }

  /** Fills a query's softmax; its sums by key block. */
  private double[] weights(int query, float[] weights) {
    int visible = grid.contextRows() + query + 1;
    float[] q = new float[DIM];
    new Vectors().queries(query, 1, q);
    double max = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < visible; j++) {
      weights[j] = score(q, 0, j);
      max = Math.max(max, weights[j]);
    }
    double sum = 0;
    for (int j = 0; j < visible; j++) {
      weights[j] = (float) Math.exp(weights[j] - max);
      sum += weights[j];
    }
    double[] blocks = new double[(visible - 1) / grid.block() + 1];
    for (int j = 0; j < visible; j++) {
      weights[j] = (float) (weights[j] / sum);
      blocks[j / grid.block()] += weights[j];
    }
    return blocks;
  }

  /** Mean of values by weights in the blocks of a mask, or in all. */
  private double[] attend(int query, float[] weights, @Nullable BlockMask mask) {
    int visible = grid.contextRows() + query + 1;
    double[] out = new double[DIM];
    double sum = 0;
    for (int j = 0; j < visible; j++) {
      if (mask != null && !mask.has(row(query), j / grid.block())) {
        j += grid.block() - 1 - j % grid.block();
        continue;
      }
      double weight = weights[j];
      sum += weight;
      for (int d = 0; d < DIM; d++) {
        out[d] += weight * values[j * DIM + d];
      }
    }
    for (int d = 0; d < DIM; d++) {
      out[d] /= sum;
    }
    return out;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += a[d] * b[d];
    }
    return sum;
  }

  private float score(float[] q, int at, int key) {
    float sum = 0;
    for (int d = 0; d < DIM; d++) {
      sum += q[at + d] * keys[key * DIM + d];
    }
    return (float) (sum / Math.sqrt(DIM));
  }

  private final class Vectors implements HeadVectors {
    @Override
    public int headDim() {
      return DIM;
    }

    @Override
    public void queries(int first, int count, float[] out) {
      for (int i = 0; i < count; i++) {
        int row = grid.contextRows() + first + i;
        heads.query(kind, row, 0, out, i * DIM);
        heads.rotate(row, out, i * DIM);
      }
    }

    @Override
    public float[] pooledKeys(BlockGrid of) {
      PooledKeys.Rows rows =
          (first, count, out) -> System.arraycopy(keys, first * DIM, out, 0, count * DIM);
      return new PooledKeys(of.block(), DIM, rows).of(of.keys());
    }

    @Override
    public float[] probabilities(BlockGrid of, int first, int count) {
      float[] all = new float[count * of.keys()];
      float[] one = new float[of.keys()];
      for (int i = 0; i < count; i++) {
        weights(first + i, one);
        int visible = of.contextRows() + first + i + 1;
        System.arraycopy(one, 0, all, i * of.keys(), visible);
      }
      return all;
    }
  }
}
