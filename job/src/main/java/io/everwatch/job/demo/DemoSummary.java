// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import io.everwatch.job.demo.Lags.Percentiles;

/**
 * What came out.
 *
 * @param events all live events
 * @param comments of them with words
 * @param silences of them without
 * @param gaps events about chunks without frames
 * @param errors ERROR events
 * @param changed events that came again with other bytes: never, if the text is deterministic
 * @param deadLetters records that could not be used
 * @param firstEventMillis from the start of the command to the first event
 * @param chunksPerSecond comments and silences over the time from the first to the last
 * @param live arrival of the last frame until a live reader had the event
 * @param committed the same for a reader of committed events
 */
public record DemoSummary(
    int cameras,
    long events,
    long comments,
    long silences,
    long gaps,
    long errors,
    long changed,
    long deadLetters,
    long firstEventMillis,
    double chunksPerSecond,
    Percentiles live,
    Percentiles committed) {}
