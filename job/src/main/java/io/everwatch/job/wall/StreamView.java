// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import org.jspecify.annotations.Nullable;

/**
 * A stream at one moment.
 *
 * @param life capture time of the first frame of its life; 0 = not known yet
 * @param since when the state was entered, milliseconds since the epoch
 * @param newest its newest chunk event; null = none yet
 * @param comment the newest that has words
 * @param lagMillis of the newest event that has one; {@link
 *     io.everwatch.schemas.EventHeaders#ABSENT} = none
 * @param restarts of the job, seen in the stream's events
 * @param restartedMillis the last of them; absent = none
 * @param committedChunk all events of this life up to it are committed; -1 = none known
 */
record StreamView(
    String id,
    long life,
    StreamState state,
    long since,
    @Nullable Said newest,
    @Nullable Said comment,
    long lagMillis,
    @Nullable Frame frame,
    int restarts,
    long restartedMillis,
    long committedChunk) {}
