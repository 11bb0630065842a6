// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.flink.FrameRecord.Picture;
import io.everwatch.operators.flink.FrameRecord.Unusable;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many streams a subtask takes. A stream counts from the record that begins it to the one that
 * ends it, wherever the engine is by then: which stream is refused is a matter of the order of the
 * records alone.
 */
final class StreamLimit {
  private static final Logger LOG = LoggerFactory.getLogger(StreamLimit.class);

  /** Reason code of the frames of a stream that was refused. */
  static final String REASON = "STREAM_LIMIT";

  /** Refused streams that get a line in the log before there is room again. */
  private static final int LOGGED = 100;

  private final int limit;
  private final Set<String> logged = new HashSet<>();
  private int count;

  /**
   * @param limit 0: none
   */
  StreamLimit(int limit) {
    this.limit = limit;
  }

  /** Streams that came with the state; more than the limit stay. */
  void restored(int streams) {
    count = streams;
  }

  boolean reached() {
    return limit > 0 && count >= limit;
  }

  void begins() {
    count++;
  }

  /** Its last record has come. */
  void ends() {
    count--;
    logged.clear();
  }

  String message() {
    return "%d streams of this subtask have begun and not ended; expected at most %d (limits.streams)"
            .formatted(count, limit)
        + "; end one, raise the limit, or start the job with more parallelism";
  }

  /** The dead letter of a frame; the frame itself still lies where it came from. */
  Unusable refuse(StreamKey key, Picture picture) {
    if (logged.size() < LOGGED && logged.add(key.streamId())) {
      LOG.warn(
          "stream {} is refused: {}; its frames go to the dead-letter topic with reason {}{}",
          key.streamId(),
          message(),
          REASON,
          logged.size() == LOGGED ? "; further streams are refused without a line here" : "");
    }
    return new Unusable(
        REASON,
        message(),
        key.streamId(),
        picture.sequence(),
        picture.captureMicros(),
        new byte[0],
        picture.frame().bytes().length);
  }
}
