// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

/**
 * The clock of one stream: its largest capture time, and when the record with it arrived. What can
 * follow it: a time at most {@code maxClockJump} before it, and at most as much ahead of it as the
 * record arrived later, and {@code maxClockJump} more.
 */
final class StreamClock {
  private final long maxJumpMicros;
  private long micros;
  private long arrivalMicros;

  StreamClock(long maxJumpMicros, long micros, long arrivalMicros) {
    this.maxJumpMicros = maxJumpMicros;
    this.micros = micros;
    this.arrivalMicros = arrivalMicros;
  }

  /** Largest capture time; 0 before the first frame. */
  long micros() {
    return micros;
  }

  /** When the record with that capture time arrived. */
  long arrivalMicros() {
    return arrivalMicros;
  }

  void set(Frame<?> frame) {
    micros = frame.captureMicros();
    arrivalMicros = frame.arrivalMicros();
  }

  void advance(Frame<?> frame) {
    if (ahead(frame) > 0) {
      set(frame);
    }
  }

  /** By how much the frame's capture time lies ahead of it. */
  long ahead(Frame<?> frame) {
    return frame.captureMicros() - micros;
  }

  /** Whether the frame can follow it. */
  boolean isFollowedBy(Frame<?> frame) {
    return follows(ahead(frame), frame.arrivedAfter(arrivalMicros));
  }

  /** Whether a clock set to one frame would be followed by the other. */
  boolean follows(Frame<?> frame, Frame<?> other) {
    return follows(
        frame.captureMicros() - other.captureMicros(), frame.arrivedAfter(other.arrivalMicros()));
  }

  /**
   * Whether a clock can have moved on by {@code ahead} while {@code elapsed} passed on the topic:
   * by all of that (frames came as they were taken), by nothing (they had waited), or in between.
   */
  private boolean follows(long ahead, long elapsed) {
    return ahead < 0 ? -ahead <= maxJumpMicros : ahead - elapsed <= maxJumpMicros;
  }

  /** What may have passed since the newest frame, at most. */
  long since(Frame<?> frame) {
    return Math.max(ahead(frame), frame.arrivedAfter(arrivalMicros));
  }

  /** Why a frame that does not follow is none of the stream. */
  String lonelyJump(Frame<?> frame) {
    return ("frame %d has capture time %d us and arrived %d us after the one of %d us, to which "
            + "the stream's clock is set; expected at most %d us between them, beyond what passed "
            + "meanwhile, or a next frame that agrees; look at the camera's clock")
        .formatted(
            frame.sequence(),
            frame.captureMicros(),
            frame.arrivedAfter(arrivalMicros),
            micros,
            maxJumpMicros);
  }
}
