// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Density, kept mass, relative error and cosine of a choice. */
class SparseQualityTest {
  private static List<String> table(int length, int span) {
    return SparseQuality.table(new int[] {length}, span, new double[] {0.9});
  }

  private static double[] row(List<String> table, String kind) {
    String row =
        table.stream()
            .filter(line -> line.startsWith("| " + kind + " |"))
            .findFirst()
            .orElseThrow();
    return java.util.Arrays.stream(row.split("\\|", -1)[3].split(",", -1))
        .mapToDouble(Double::parseDouble)
        .toArray();
  }

  @Test
  void nothingIsLostWhereAllIsChosen() {
    List<String> table = table(1024, 0); // as many as a head takes at least
    assertThat(table).hasSize(2 + StructuredHeads.Kind.values().length);
    assertThat(table.subList(2, table.size()))
        .allSatisfy(row -> assertThat(row).endsWith("| 1.000, 1.000, 0.000, 1.0000 |"));
  }

  @Test
  void aFlatHeadLosesWhatIsLeftOutAndAWindowHardlyAnything() {
    List<String> table = table(4096, 512);
    double[] window = row(table, "window");
    double[] flat = row(table, "flat");
    assertThat(window[0]).as("density").isLessThan(0.6);
    assertThat(window[1]).as("kept mass").isGreaterThan(0.99);
    assertThat(window[3]).as("cosine").isGreaterThan(0.999);
    assertThat(flat[1]).as("kept mass").isBetween(0.85, 0.98);
    assertThat(flat[2]).as("relative error").isBetween(0.1, 0.6);
    assertThat(flat[3]).as("cosine").isBetween(0.8, 0.99);
  }
}
