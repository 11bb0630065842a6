// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import io.everwatch.schemas.avro.TextEvent;

/**
 * A text event as read from its topic.
 *
 * @param changed an event of the same identity was reported before, with other bytes
 * @param writtenMillis the record's timestamp: when it was written, milliseconds since the epoch
 */
public record ReceivedText(
    TextEvent event,
    EventHeaders headers,
    int partition,
    long offset,
    long writtenMillis,
    boolean changed) {}
