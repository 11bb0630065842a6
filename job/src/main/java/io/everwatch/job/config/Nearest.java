// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** The known names that a misspelt one most likely meant. */
public final class Nearest {
  private Nearest() {}

  /** The nearest one. */
  public static String to(String name, List<String> known) {
    return of(name, known, 1).stream()
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no names to choose from"));
  }

  /** At most so many, the nearest first. */
  public static List<String> of(String name, List<String> known, int count) {
    return known.stream()
        .sorted(Comparator.comparingInt(candidate -> distance(name, candidate)))
        .limit(count)
        .toList();
  }

  /** Edits that turn one into the other (Levenshtein), by rows. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    Arrays.setAll(row, j -> j);
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitution = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substitution, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
