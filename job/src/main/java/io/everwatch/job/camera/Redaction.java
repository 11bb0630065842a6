// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Takes credentials out of text that people may see: messages, logs, metrics. Everything that names
 * an address goes through here.
 */
public final class Redaction {
  /** What stands where a credential stood. */
  public static final String HIDDEN = "***";

  /** Up to the last @ of the word: a password that was not percent-encoded may hold / and @. */
  private static final Pattern USER_INFO =
      Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*://)[^\\s'\"<>]*@");

  private static final Pattern QUERY_SECRET =
      Pattern.compile(
          "([?&;][^=&#\\s'\"]*(?:pass|pwd|token|secret|key|auth|user|login|cred|sig|session)[^=&#\\s'\"]*=)"
              + "[^&#\\s'\"]*",
          Pattern.CASE_INSENSITIVE);

  /** Shorter ones would also be found inside ordinary words. */
  private static final int SHORTEST_SECRET = 3;

  private final List<String> secrets;

  /**
   * @param secrets that are hidden wherever they stand, also outside an address
   */
  Redaction(List<String> secrets) {
    List<String> longestFirst = new ArrayList<>(secrets);
    longestFirst.removeIf(secret -> secret.length() < SHORTEST_SECRET);
    longestFirst.sort(Comparator.comparingInt(String::length).reversed());
    this.secrets = List.copyOf(longestFirst);
  }

  /** Hides what can be told from the form of an address alone: user, password, query values. */
  public static String addresses(String text) {
    String withoutUser = USER_INFO.matcher(text).replaceAll("$1" + HIDDEN + "@");
    return QUERY_SECRET.matcher(withoutUser).replaceAll("$1" + HIDDEN);
  }

  /**
   * A stack trace; messages inside of it may hold what is hidden, so no logger gets the exception.
   */
  String trace(Throwable thrown) {
    StringWriter trace = new StringWriter();
    thrown.printStackTrace(new PrintWriter(trace, true));
    return of(trace.toString());
  }

  /** Hides these secrets and what {@link #addresses} hides. */
  String of(String text) {
    String shown = text;
    for (String secret : secrets) {
      shown = shown.replace(secret, HIDDEN);
    }
    return addresses(shown);
  }
}
