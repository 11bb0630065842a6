// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

/**
 * One frame as the assembler sees it. All of it is a property of the record, so that a record that
 * is read again is judged as it was the first time.
 *
 * @param sequence increasing per stream; a restarted camera may start again
 * @param captureMicros capture time, microseconds since the epoch
 * @param arrivalMicros when its record was written to the topic, microseconds since the epoch;
 *     tells an outage from a clock that was set; {@link #ARRIVAL_UNKNOWN} or any negative: not
 *     known
 * @param payload what the caller carries along (the encoded picture, its source); never looked at
 */
public record Frame<P>(long sequence, long captureMicros, long arrivalMicros, P payload) {
  /** Of frames that came over no topic. */
  public static final long ARRIVAL_UNKNOWN = -1;

  /**
   * How much later than another frame this one arrived; 0 when that is not known, or when the clock
   * of the topic went back.
   */
  long arrivedAfter(long otherMicros) {
    return arrivalMicros < 0 || otherMicros < 0 ? 0 : Math.max(0, arrivalMicros - otherMicros);
  }
}
