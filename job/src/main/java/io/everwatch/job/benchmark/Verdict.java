// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** For whom a judge votes. */
enum Verdict {
  A,
  B,
  /** A reply that names neither, or both. */
  NONE;

  private static final Pattern NAMED =
      Pattern.compile("(?i:commentary|answer|verdict|winner)[\\s:*\"'(]*(?i:is)?\\s*([AB])\\b");
  private static final Pattern ALONE = Pattern.compile("[\\W_]*([ABab])[\\W_]*");

  /** A letter alone, or exactly one of both named as a commentary or an answer. */
  static Verdict read(String reply) {
    Matcher alone = ALONE.matcher(reply);
    if (alone.matches()) {
      return valueOf(alone.group(1).toUpperCase(Locale.ROOT));
    }
    Matcher named = NAMED.matcher(reply);
    Verdict found = NONE;
    while (named.find()) {
      Verdict one = valueOf(named.group(1));
      if (found != NONE && found != one) {
        return NONE;
      }
      found = one;
    }
    return found;
  }
}
