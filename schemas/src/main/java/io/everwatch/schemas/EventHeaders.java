// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Wall-clock times of a text event: milliseconds since the epoch, {@link #ABSENT} where there is
 * none (a gap has no prefill). They travel as record headers, in decimal digits, so that values can
 * be compared byte for byte and any tool can read them.
 *
 * @param lastCaptureMillis capture time of the chunk's last frame, by the camera's clock
 * @param arrivalMillis the own time of that frame's record: when the broker stored it, or what its
 *     producer says
 * @param closedMillis when the chunk was complete
 * @param prefillDoneMillis when the round's prompt had been prefilled
 * @param firstTokenMillis when the first token was there
 * @param doneMillis when the last token was there
 * @param startedMillis when the task that made the event was started: another value than that of
 *     the event before means that the job was started again between them. An event that is written
 *     a second time keeps it
 */
public record EventHeaders(
    long lastCaptureMillis,
    long arrivalMillis,
    long closedMillis,
    long prefillDoneMillis,
    long firstTokenMillis,
    long doneMillis,
    long startedMillis) {
  /** No such time. */
  public static final long ABSENT = -1;

  public static final EventHeaders NONE =
      new EventHeaders(ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);

  public static final String LAST_CAPTURE = "everwatch-last-capture-millis";
  public static final String ARRIVAL = "everwatch-arrival-millis";
  public static final String CLOSED = "everwatch-closed-millis";
  public static final String PREFILL_DONE = "everwatch-prefill-done-millis";
  public static final String FIRST_TOKEN = "everwatch-first-token-millis";
  public static final String DONE = "everwatch-done-millis";
  public static final String STARTED = "everwatch-started-millis";

  /** Header names and values, those that are absent left out; in a fixed order. */
  public Map<String, byte[]> toMap() {
    Map<String, byte[]> headers = new LinkedHashMap<>();
    put(headers, LAST_CAPTURE, lastCaptureMillis);
    put(headers, ARRIVAL, arrivalMillis);
    put(headers, CLOSED, closedMillis);
    put(headers, PREFILL_DONE, prefillDoneMillis);
    put(headers, FIRST_TOKEN, firstTokenMillis);
    put(headers, DONE, doneMillis);
    put(headers, STARTED, startedMillis);
    return headers;
  }

  /**
   * Reads what {@link #toMap} wrote; a header that is missing or no number counts as absent, since
   * times never decide anything.
   *
   * @param lookup value of a header, null when the record has none of that name
   */
  public static EventHeaders of(Function<String, byte @Nullable []> lookup) {
    return new EventHeaders(
        get(lookup, LAST_CAPTURE),
        get(lookup, ARRIVAL),
        get(lookup, CLOSED),
        get(lookup, PREFILL_DONE),
        get(lookup, FIRST_TOKEN),
        get(lookup, DONE),
        get(lookup, STARTED));
  }

  private static void put(Map<String, byte[]> headers, String name, long millis) {
    if (millis != ABSENT) {
      headers.put(name, Long.toString(millis).getBytes(StandardCharsets.US_ASCII));
    }
  }

  private static long get(Function<String, byte @Nullable []> lookup, String name) {
    return Optional.ofNullable(lookup.apply(name))
        .map(value -> new String(value, StandardCharsets.US_ASCII))
        .map(EventHeaders::parse)
        .orElse(ABSENT);
  }

  private static long parse(String digits) {
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException e) {
      return ABSENT;
    }
  }
}
