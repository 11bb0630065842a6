// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * What was measured of a device, and what follows from it for prefills (architecture §5): how long
 * a piece is, and whether its attention is sparse. A file; it never changes by itself, and its
 * digest is part of the numerics identity.
 *
 * <p>The rule. A point of the grid counts as faster when sparse attention took at most {@value
 * #MARGIN} of the dense time there and at every point with as many queries and keys or more. So a
 * length that is sparse stays sparse when it grows, and no point of the grid is slower than dense.
 * A length between points is judged by the point below it in both directions, which is the most
 * careful of its neighbours; one below the grid is dense.
 *
 * @param target what it was measured on
 * @param piece rows of one pass of a long prefill
 * @param selector the settings that were measured; under others nothing is known
 * @param queries grid of new rows, ascending
 * @param keys grid of all rows, those of the queries included, ascending; holds {@code queries}
 * @param denseMicros {@code [queries][keys]}: one layer's attention; NaN with fewer keys than
 *     queries
 * @param sparseMicros the same, sparse; the dense time where the selector leaves it to dense
 * @param density {@code [queries][keys]}: share of the causal cells that the sparse one visited
 */
public record TuningProfile(
    Target target,
    int piece,
    FlexPrefill selector,
    List<Integer> queries,
    List<Integer> keys,
    double[][] denseMicros,
    double[][] sparseMicros,
    double[][] density) {
  /** Of the layout of the file. */
  public static final int VERSION = 1;

  /** Share of the dense time that sparse attention may take. */
  public static final double MARGIN = 0.95;

  private static final int MAX_POINTS = 64;

  /**
   * A device, and the shape of attention.
   *
   * @param numerics back end, device, compute capability, kernel build, type: {@link
   *     io.everwatch.kernels.Backend#numerics}
   * @param heads query heads
   */
  public record Target(String numerics, DType dtype, int heads, int kvHeads, int headDim) {
    public static Target of(String numerics, DType dtype, KvShape shape) {
      return new Target(numerics, dtype, shape.heads(), shape.kvHeads(), shape.headDim());
    }

    @Override
    public String toString() {
      return "%s (%s), %d query heads on %d KV heads of %d"
          .formatted(numerics, dtype, heads, kvHeads, headDim);
    }
  }

  public TuningProfile {
    queries = List.copyOf(queries);
    keys = List.copyOf(keys);
    Problems problems = new Problems();
    if (piece < PrefillSettings.ROWS || piece % PrefillSettings.ROWS != 0) {
      problems.add("piece is %d, expected a multiple of %d".formatted(piece, PrefillSettings.ROWS));
    }
    checkGrid("queries", queries, problems);
    checkGrid("keys", keys, problems);
    if (!keys.containsAll(queries)) {
      problems.add("keys are %s, expected all of queries %s among them".formatted(keys, queries));
    }
    checkTimes("dense_micros", denseMicros, queries, keys, problems);
    checkTimes("sparse_micros", sparseMicros, queries, keys, problems);
    checkTimes("density", density, queries, keys, problems);
    problems.throwIfAny("tuning profile", "Measure again with everwatch tune.");
  }

  private static void checkGrid(String name, List<Integer> points, Problems problems) {
    boolean ascending = !points.isEmpty() && points.get(0) >= 1 && points.size() <= MAX_POINTS;
    for (int i = 1; i < points.size(); i++) {
      ascending &= points.get(i) > points.get(i - 1);
    }
    if (!ascending) {
      problems.add(
          "%s are %s, expected 1 to %d ascending numbers of rows"
              .formatted(name, points, MAX_POINTS));
    }
  }

  private static void checkTimes(
      String name, double[][] table, List<Integer> queries, List<Integer> keys, Problems problems) {
    boolean fits = table.length == queries.size();
    for (int i = 0; fits && i < table.length; i++) {
      fits = table[i].length == keys.size();
      for (int j = 0; fits && j < table[i].length; j++) {
        boolean possible = keys.get(j) >= queries.get(i);
        fits =
            possible ? table[i][j] > 0 && Double.isFinite(table[i][j]) : Double.isNaN(table[i][j]);
      }
    }
    if (!fits) {
      problems.add(
          "%s has not a number above 0 for each of %d queries by %d keys, and null where there are fewer keys than queries"
              .formatted(name, queries.size(), keys.size()));
    }
  }

  /**
   * Whether the attention of {@code queries} new rows, the last of {@code keys}, is to be sparse.
   *
   * @param wanted settings of the stream
   */
  public boolean sparse(FlexPrefill wanted, int queries, int keys) {
    int i = floor(this.queries, queries);
    int j = floor(this.keys, keys);
    if (!wanted.equals(selector) || i < 0 || j < 0) {
      return false;
    }
    for (int q = i; q < this.queries.size(); q++) {
      for (int k = j; k < this.keys.size(); k++) {
        boolean possible = this.keys.get(k) >= this.queries.get(q);
        if (possible && !(sparseMicros[q][k] <= MARGIN * denseMicros[q][k])) {
          return false;
        }
      }
    }
    return true;
  }

  /** Index of the largest point that is not above {@code rows}; -1: all are. */
  private static int floor(List<Integer> points, int rows) {
    int at = points.size() - 1;
    while (at >= 0 && points.get(at) > rows) {
      at--;
    }
    return at;
  }

  /**
   * Refuses a device for which this was not measured.
   *
   * @param file where it comes from
   */
  public void require(Target here, String file) {
    if (!target.equals(here)) {
      throw new BadModelException(
          "tuning profile %s was measured on %s, but this is %s; expected a profile of this device, kernel build, type and model shape; measure one here with everwatch tune, or leave engine.tuning-profile out (long prefills are then dense)"
              .formatted(file, target, here));
    }
  }

  /** Of all that it says: hex, 64 characters. */
  public String digest() {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha.digest(bytes()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * Reads what {@code everwatch tune} wrote.
   *
   * @throws BadModelException naming all that is wrong with the file
   */
  public static TuningProfile read(Path file) {
    return TuningProfileJson.read(file);
  }

  /** Writes the file, whole or not at all. */
  public void write(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Path unfinished = Files.createTempFile(folder, file.getFileName().toString(), ".tmp");
    try {
      Files.write(unfinished, bytes());
      Files.move(
          unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private byte[] bytes() {
    return JsonFile.write(TuningProfileJson.of(this));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TuningProfile profile && Arrays.equals(bytes(), profile.bytes());
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes());
  }

  @Override
  public String toString() {
    return "tuning profile %.16s of %s".formatted(digest(), target);
  }
}
