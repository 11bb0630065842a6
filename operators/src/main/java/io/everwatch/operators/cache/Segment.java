// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import org.jspecify.annotations.Nullable;

/**
 * An immutable run of token ids that entered together. Rows are named by {@code (id, index)}; where
 * their K and V lie is the engine's business.
 *
 * @param id running number within the stream, never reused
 * @param round the round it entered with, -1 for the head
 * @param ids token ids; for VISION start, pads, end
 * @param grid of the pads; null unless VISION
 */
public record Segment(long id, SegmentKind kind, long round, int[] ids, @Nullable VideoGrid grid) {}
