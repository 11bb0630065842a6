// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import io.everwatch.schemas.avro.TextEvent;
import java.util.function.ToLongFunction;

/**
 * Where a stream's capture times lie in a file of captions: microseconds from its start. Follows
 * the events of one stream. Where the camera's clock was set, or the stream began again with times
 * that were there already, the file goes on where it was: players want times that only grow.
 */
public final class CaptionTimeline {
  private final ToLongFunction<TextEvent> origin;
  private final long untilMicros;
  private boolean begun;
  private long originMicros;
  private long lengthMicros;
  private long endMicros;

  private CaptionTimeline(ToLongFunction<TextEvent> origin, long untilMicros) {
    this.origin = origin;
    this.untilMicros = untilMicros;
  }

  /** Begins with the first event. */
  public static CaptionTimeline sinceFirstEvent() {
    return new CaptionTimeline(TextEvent::getStartMicros, Long.MAX_VALUE);
  }

  /** Begins at a capture time. */
  public static CaptionTimeline since(long micros) {
    return new CaptionTimeline(event -> micros, Long.MAX_VALUE);
  }

  /**
   * Begins with the first frame of the stream's life: of a recorded clip, with the clip. Of a
   * release that named no lives, with the first event.
   */
  public static CaptionTimeline sinceFirstFrame() {
    return new CaptionTimeline(
        event -> event.getBeganMicros() == 0 ? event.getStartMicros() : event.getBeganMicros(),
        Long.MAX_VALUE);
  }

  /** The same; ends at a capture time. */
  public CaptionTimeline until(long micros) {
    return new CaptionTimeline(origin, micros);
  }

  /** The next event of the stream has come. */
  void follow(TextEvent event) {
    if (!begun) {
      begun = true;
      originMicros = origin.applyAsLong(event);
      lengthMicros =
          untilMicros == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(0, untilMicros - originMicros);
    } else if (isOfAChunk(event) && (event.getClockReset() || event.getStartMicros() < endMicros)) {
      originMicros += event.getStartMicros() - endMicros;
    }
    if (isOfAChunk(event)) {
      endMicros = event.getEndMicros();
    }
  }

  private static boolean isOfAChunk(TextEvent event) {
    return switch (event.getKind()) {
      case COMMENT, SILENCE, ERROR, GAP -> true;
      case STALE, ANSWER, ALERT, NOTICE, ENDED, UNKNOWN -> false;
    };
  }

  /** Place of a capture time of the event that was followed last; within the file. */
  long at(long captureMicros) {
    return Math.min(Math.max(0, captureMicros - originMicros), lengthMicros);
  }

  /** The end of the file. */
  long end() {
    return lengthMicros;
  }
}
